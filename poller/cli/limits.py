"""Thresholds for people and for programs: as a table, and in the stable JSON form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from poller.model import Threshold

if TYPE_CHECKING:
    from poller.cli.layout import PlainTable


def limit_document(threshold: Threshold) -> dict[str, Any]:
    return {
        "metric": threshold.metric,
        "labels": dict(threshold.labels),
        "above": threshold.above,
        "below": threshold.below,
        "clear": threshold.clear,
        "for": threshold.hold.seconds,
        "polls": threshold.hold.polls,
        "severity": str(threshold.severity),
        "notify": list(threshold.notify),
        "where": threshold.where,
    }


def limits(thresholds: Iterable[Threshold]) -> PlainTable:
    """Thresholds as a table for people."""
    from poller.cli.table import cell, plain_table

    table = plain_table("THRESHOLD", "LIMIT", "CLEAR", "SEVERITY", "TELLS", "SET BY")
    for threshold in thresholds:
        table.add_row(*(cell(each) for each in _limit_row(threshold)))
    return table


def _limit_row(threshold: Threshold) -> tuple[str, ...]:
    from poller.cli.table import written
    from poller.metrics import CATALOGUE

    unit = CATALOGUE[threshold.metric].unit
    labels = "".join(f'{{{name}="{pattern}"}}' for name, pattern in threshold.labels)
    return (
        threshold.metric + labels,
        f"{threshold.sign} {written(threshold.limit, unit)} {threshold.hold}".rstrip(),
        "-" if threshold.clear is None else written(threshold.clear, unit),
        str(threshold.severity),
        " ".join(threshold.notify) or "-",
        threshold.where,
    )

"""Thresholds and rules for people and for programs: as tables, and in the stable JSON form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from poller.model import AnyRule, Escalation, Rule, Threshold

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
        "within": threshold.within,
        **_told(threshold),
    }


def rule_document(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "text": rule.text,
        "clear": rule.clear_text or None,
        "for": rule.hold.seconds,
        "polls": rule.hold.polls,
        "severity": str(rule.severity),
        **_told(rule),
    }


def _told(judged: AnyRule) -> dict[str, Any]:
    return {
        "notify": list(judged.notify),
        "remind": list(judged.remind),
        "escalate": [{"after": one.after, "notify": list(one.notify)} for one in judged.escalations],
        "evidence": judged.evidence,
        "where": judged.where,
    }


def limits(thresholds: Iterable[Threshold]) -> PlainTable:
    """Thresholds as a table for people."""
    from poller.cli.table import cell, plain_table

    table = plain_table("THRESHOLD", "LIMIT", "CLEAR", "SEVERITY", "TELLS", "SET BY")
    for threshold in thresholds:
        table.add_row(*(cell(each) for each in _limit_row(threshold)))
    return table


def rules(found: Iterable[Rule]) -> PlainTable:
    """Rules as a table for people."""
    from poller.cli.table import cell, plain_table

    table = plain_table("RULE", "COUNTS WHEN", "CLEAR", "SEVERITY", "TELLS", "SET BY")
    for rule in found:
        row = (rule.name, str(rule), rule.clear_text or "-", str(rule.severity), tells(rule), rule.where)
        table.add_row(*(cell(each) for each in row))
    return table


def tells(judged: AnyRule) -> str:
    """Who is told, again after which times, and who is told too when nobody takes care."""
    parts = [" ".join(judged.notify) or "-"]
    if judged.remind:
        parts.append(f"again {reminders(judged.remind)}")
    return "; ".join([*parts, *escalations(judged.escalations)])


def reminders(after: Iterable[float]) -> str:
    """As config.xml has them: `4h 1d`."""
    from poller.rules.figure import span

    return " ".join(map(span, after))


def escalations(found: Iterable[Escalation]) -> list[str]:
    """`boss after 30m`."""
    return [f"{' '.join(one.notify)} after {reminders([one.after])}" for one in found]


def _limit_row(threshold: Threshold) -> tuple[str, ...]:
    from poller.cli.table import written
    from poller.metrics import CATALOGUE

    unit = CATALOGUE[threshold.metric].unit
    labels = "".join(f'{{{name}="{pattern}"}}' for name, pattern in threshold.labels)
    return (
        threshold.metric + labels,
        f"{_limit(threshold, written(threshold.limit, unit))} {threshold.hold}".rstrip(),
        "-" if threshold.clear is None else written(threshold.clear, unit),
        str(threshold.severity),
        tells(threshold),
        threshold.where,
    )


def _limit(threshold: Threshold, limit: str) -> str:
    if threshold.within:
        return f"reaches {limit} within {reminders([threshold.within])}"
    return f"{threshold.sign} {limit}"

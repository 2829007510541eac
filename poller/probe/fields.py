"""The fields of a row -> numbers: read at once, as a share of something, with the row's label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from poller.model import MetricValue, Row
from poller.probe.label import label_of

Found = Iterator[tuple[str, float | None]]
Getters = dict[type[Row], tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]]


def getters(of: Mapping[type[Row], Sequence[tuple[str, str]]]) -> Getters:
    """kind -> the metrics, and what gives the fields that they are made from, at once."""
    found: Getters = {}
    for kind, pairs in of.items():
        metrics, names = zip(*pairs, strict=True)
        get = attrgetter(*names)
        found[kind] = metrics, get if len(names) > 1 else lambda row, one=get: (one(row),)  # type: ignore[misc]
    return found


def present(row: Row, found: Iterable[tuple[str, float | None]]) -> Iterator[MetricValue]:
    """The numbers that exist, with the row's label."""
    label = label_of(row)
    for metric, value in found:
        if value is not None:
            yield MetricValue(metric, float(value), label)


def percent(part: float, whole: float) -> float | None:
    """None of nothing. Clamped, because a part and its whole are not read at the same instant."""
    return min(100.0, max(0.0, 100.0 * part / whole)) if whole > 0 else None

"""Holds each value against each threshold that covers it.

A threshold without a label filter judges each label value apart. Here only this one poll counts: how long a limit
has been breached, and what becomes of it, is decided in `poller.alerts`.

What is missing is said, so that nobody downstream has to guess:
- an UNKNOWN verdict with labels: the thing is there (its row was in the report) but gave no such number;
- an UNKNOWN verdict without labels: nothing is known of this metric for any label value that has no verdict of its
  own, because its section could not be read completely or the host not reached;
- no verdict at all: the section was read, and the thing is no longer there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from poller.metrics import CATALOGUE
from poller.model import MetricValue, Sight, Standing, Threshold, Verdict


def judge(thresholds: Sequence[Threshold], values: Iterable[MetricValue], sight: Sight) -> tuple[Verdict, ...]:
    """One verdict per threshold and value it covers; UNKNOWN ones for what is there, or may be, without a value."""
    by_metric: dict[str, list[MetricValue]] = {threshold.metric: [] for threshold in thresholds}
    for value in values:
        if value.metric in by_metric:
            by_metric[value.metric].append(value)
    return tuple(
        verdict for threshold in thresholds for verdict in _verdicts(threshold, by_metric[threshold.metric], sight)
    )


def standing(threshold: Threshold, value: float) -> Standing:
    """Breached strictly beyond the limit; OK from `clear` on; BETWEEN in the hysteresis band."""
    limit = threshold.limit
    clear = limit if threshold.clear is None else threshold.clear
    if threshold.above is None:  # "below" is "above" upside down
        limit, clear, value = -limit, -clear, -value
    if value > limit:
        return Standing.BREACH
    return Standing.BETWEEN if value > clear else Standing.OK


def _verdicts(threshold: Threshold, values: list[MetricValue], sight: Sight) -> Iterator[Verdict]:
    judged = set()
    for value in values:
        if threshold.covers(value.metric, value.labels):
            judged.add(value.labels)
            yield Verdict(value.metric, value.labels, threshold, standing(threshold, value.value), value.value)
    metric = CATALOGUE[threshold.metric]
    if not metric.label and judged:
        return
    if not metric.label or metric.section not in sight.sections:
        yield Verdict(threshold.metric, (), threshold, Standing.UNKNOWN, None)
        return
    for name, value_of_label in sorted(sight.labels):
        labels = ((name, value_of_label),)
        if name == metric.label and labels not in judged and threshold.covers(threshold.metric, labels):
            yield Verdict(threshold.metric, labels, threshold, Standing.UNKNOWN, None)

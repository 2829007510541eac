"""`disk.percent{mountpoint="/var"}` and what looks back at it: values of the newest poll, and of those before.

A label set of which the newest poll has no number is unknown, whatever the past says; one that is gone is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Final

from poller.metrics import CATALOGUE
from poller.model.threshold import is_glob
from poller.rules import forecast
from poller.rules.expression import Filter, Missing, Past, Reaches, Selector
from poller.rules.facts import Facts
from poller.rules.matching import fits, glob
from poller.rules.vector import ABSENT, NO_LABELS, Labels, Value, Vector, alone, finite

Run = Callable[[Facts], Vector]
Points = Sequence[tuple[int, float]]


def selected(expression: Selector) -> Run:
    """The newest values; unknown for what is there without a number, and of what could not be read."""
    metric = CATALOGUE[expression.metric]
    covers = covering(expression.filters)
    name, section, label = metric.name, metric.section, metric.label

    def scalar(facts: Facts) -> Vector:
        found = facts.by_metric.get(name)
        return NO_LABELS, found[-1].value if found else None

    def labelled(facts: Facts) -> Vector:
        values: dict[Labels, Value] = {
            one.labels: one.value
            for one in facts.by_metric.get(name, ())
            if covers is None or covers(one.labels, facts)
        }
        if section not in facts.world.sight.sections:
            return values, None
        for labels in facts.there(label):
            if labels not in values and (covers is None or covers(labels, facts)):
                values[labels] = None
        return values, ABSENT

    return labelled if label else scalar


def covering(filters: Sequence[Filter]) -> Callable[[Labels, Facts], bool] | None:
    """Whether labels pass all filters; None without one. A label that is not there passes none."""
    if len(filters) == 1 and filters[0].sign == "=" and not is_glob(filters[0].text):
        wanted = ((filters[0].label, filters[0].text),)  # as most are; a metric has one label
        return lambda labels, _facts: labels == wanted
    tests = [(one.label, tested(one)) for one in filters]

    def covers(labels: Labels, facts: Facts) -> bool:
        for name, test in tests:
            for pair in labels:
                if pair[0] == name:
                    break
            else:
                return False
            if not test(pair[1], facts):
                return False
        return True

    return covers if tests else None


def tested(one: Filter) -> Callable[[str, Facts], bool]:
    """What a filter says of a text: by glob, or by regular expression (the whole text)."""
    wanted = one.sign in ("=", "=~")
    if one.sign in ("=", "!="):
        if wanted and not is_glob(one.text):
            return lambda value, _facts: value == one.text
        same = glob(one.text)
        return lambda value, _facts: bool(same(value)) is wanted
    return lambda value, facts: fits(one.text, value, facts.budget) is wanted


def past(expression: Past, select: Run) -> Run:
    """Over the points of the window and the newest value: what there is of them. rate and delta want two points."""
    over = _OVER[expression.function]

    def look(facts: Facts, labels: Labels, newest: float) -> Value:
        points = facts.points(expression.of.metric, labels, expression.window)
        return finite(over, [*points, (facts.world.now_ms, newest)])

    return _each(select, look)


def _delta(points: Points) -> float | None:
    """The newest less the oldest."""
    return points[-1][1] - points[0][1] if len(points) > 1 else None


def _rate(points: Points) -> float | None:
    """The same per second."""
    seconds = (points[-1][0] - points[0][0]) / 1000
    return (points[-1][1] - points[0][1]) / seconds if seconds > 0 else None


_OVER: Final[dict[str, Callable[[Points], float | None]]] = {
    "avg": lambda points: fmean(value for _, value in points),
    "max": lambda points: max(value for _, value in points),
    "min": lambda points: min(value for _, value in points),
    "delta": _delta,
    "rate": _rate,
}


def reached(expression: Reaches, select: Run) -> Run:
    """Whether the line through the last hours passes the limit in time (`poller.rules.forecast`)."""

    def look(facts: Facts, labels: Labels, newest: float) -> Value:
        now_ms = facts.world.now_ms
        points = facts.points(expression.of.metric, labels, forecast.lookback(expression.within))
        points.append((now_ms, newest))
        limit, within = expression.limit.value, expression.within
        return forecast.reaches(points, now_ms, limit, within, above=expression.above)

    return _each(select, look)


def _each(select: Run, look: Callable[[Facts, Labels, float], Value]) -> Run:
    """`look` at each label set that has a number now."""

    def run(facts: Facts) -> Vector:
        values, rest = select(facts)
        if values:
            return {k: None if value is None else look(facts, k, value) for k, value in values.items()}, rest
        return values, rest if rest is None or rest is ABSENT else look(facts, (), rest)

    return run


def missing(expression: Missing, select: Run) -> Run:
    """Without a window: nothing there, though it was looked for. With one: no value for that long, now included."""
    metric = expression.of.metric
    covers = covering(expression.of.filters)

    def now(facts: Facts) -> Vector:
        values, rest = select(facts)
        if values or rest not in (None, ABSENT):
            return alone(value=False)
        return alone(True if facts.read(metric) else None)

    def lately(facts: Facts) -> Vector:
        values, rest = select(facts)
        if any(value is not None for value in values.values()) or rest not in (None, ABSENT):
            return alone(value=False)
        return alone(
            not any(
                name == metric
                and (covers is None or covers(labels, facts))
                and facts.points(name, labels, expression.window)
                for name, labels in facts.world.history.series
            )
        )

    return lately if expression.window else now

"""Worlds for rules to look at, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from poller.metrics import CATALOGUE
from poller.model import Event, History, LogLine, MetricValue, Rule, Seen, Severity, Sight, Verdict, World
from poller.rules import judge
from poller.rules.language import parse, parse_clear

Labels = tuple[tuple[str, str], ...]
NOW_MS = 1_800_000_000_000
SECTIONS = frozenset(metric.section for metric in CATALOGUE.values() if metric.section)
Given = Mapping[str, float | Mapping[str, float]]


def world(
    given: Given,
    *,
    sections: frozenset[str] = SECTIONS,
    there: Sequence[tuple[str, str]] = (),
    lines: Sequence[LogLine] = (),
    events: Sequence[Event] = (),
    history: History | None = None,
) -> World:
    """`given` are numbers by metric, or by metric and label value; `there` are rows without a number."""
    values = tuple(
        MetricValue(metric, number, ((CATALOGUE[metric].label, label),) if label else ())
        for metric, numbers in given.items()
        for label, number in (numbers.items() if isinstance(numbers, Mapping) else [("", numbers)])
    )
    labels = frozenset(pair for value in values for pair in value.labels) | frozenset(there)
    return World(NOW_MS, values, Sight(sections, labels), tuple(lines), tuple(events), history or History())


def minutes(numbers: Sequence[float], step_s: float = 60.0) -> tuple[tuple[int, float], ...]:
    """A series that ends one step ago."""
    return tuple(
        (NOW_MS - round(1000 * step_s * (len(numbers) - index)), number) for index, number in enumerate(numbers)
    )


def past(metric: str, numbers: Sequence[float], label: str = "", step_s: float = 60.0) -> History:
    labels: Labels = ((CATALOGUE[metric].label, label),) if label else ()
    return History({(metric, labels): minutes(numbers, step_s)})


def line(text: str, log: str = "auth", count: int = 1, severity: Severity = Severity.LOW) -> LogLine:
    return LogLine(log, f"/var/log/{log}", NOW_MS, "sshd", 1, 6, severity, count, False, text)


def ago(seconds: float, one: LogLine) -> Seen:
    return Seen(NOW_MS - round(seconds * 1000), one)


def rule(text: str, clear: str = "", name: str = "it", severity: Severity = Severity.MEDIUM) -> Rule:
    condition = parse(text)
    return Rule(name, condition, text, parse_clear(clear, condition) if clear else None, clear, severity=severity)


def verdicts(text: str, seen: World, clear: str = "") -> tuple[Verdict, ...]:
    return judge([rule(text, clear)], seen)


def told(text: str, seen: World, clear: str = "") -> dict[str, str]:
    """Label value ("" for none) -> standing."""
    return {",".join(value for _, value in one.labels): str(one.standing) for one in verdicts(text, seen, clear)}


def stands(text: str, seen: World, clear: str = "") -> str:
    """Of a rule without labels."""
    (one,) = verdicts(text, seen, clear)
    assert one.labels == ()
    return str(one.standing)

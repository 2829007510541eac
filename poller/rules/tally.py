"""`count(log{name="auth", match="from (?P<source>\\S+)"}, 10m) by source`: log lines and events, picked and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from poller.model import EVENT_KINDS, Event, LogLine
from poller.rules.expression import Filter, Tally
from poller.rules.facts import Facts
from poller.rules.matching import Budget, fits, glob, searched
from poller.rules.select import tested
from poller.rules.vector import NO_LABELS, Labels, Value, Vector

Item = TypeVar("Item", LogLine, Event)
Run = Callable[[Facts], Vector]
# Of so many label sets a rule is told; those with fewer lines are then unknown, so that no log can make more alerts.
MOST_LABELS: Final = 200
LONGEST_LABEL: Final = 200

# What may stand in the braces, and the text that it is compared with.
LOG_FILTERS: Final[dict[str, Callable[[LogLine], str]]] = {
    "name": lambda line: line.log,
    "program": lambda line: line.program,
    "severity": lambda line: str(line.severity),
    "match": lambda line: line.text,
}
EVENT_FILTERS: Final[dict[str, Callable[[Event], str]]] = {
    "kind": lambda event: event.kind,
    "severity": lambda event: str(event.severity),
    "match": lambda event: event.details,
}


def tallied(expression: Tally) -> Run:
    """Counts, or truths; of what was not caught it is 0, or false. Unknown when the newest poll could not look."""
    count = _lines(expression) if expression.source == "log" else _events(expression)

    def run(facts: Facts) -> Vector:
        known, found = count(facts)
        if not expression.by:
            return NO_LABELS, _told(expression, sum(found.values()), known)
        most = sorted(found, key=lambda labels: (-found[labels], labels))[:MOST_LABELS]
        rest = 0 if len(most) == len(found) else None
        return {labels: _told(expression, found[labels], known) for labels in most}, _told(expression, rest, known)

    return run


def _told(expression: Tally, count: int | None, known: bool) -> Value:
    if count is None or not known:
        return None
    return float(count) if expression.counted else count > 0


def _lines(expression: Tally) -> Callable[[Facts], tuple[bool, dict[Labels, int]]]:
    names = [tested(one) for one in expression.filters if one.label == "name"]
    pick = picker(expression, LOG_FILTERS)

    def count(facts: Facts) -> tuple[bool, dict[Labels, int]]:
        found: dict[Labels, int] = {}
        for line, labels in pick(facts.lines(expression.window), facts):
            found[labels] = found.get(labels, 0) + max(1, line.count)
        return facts.logs_read(lambda name: all(test(name, facts) for test in names)), found

    return count


def _events(expression: Tally) -> Callable[[Facts], tuple[bool, dict[Labels, int]]]:
    looked_for = kinds(expression)
    pick = picker(expression, EVENT_FILTERS)

    def count(facts: Facts) -> tuple[bool, dict[Labels, int]]:
        found: dict[Labels, int] = {}
        for _event, labels in pick(facts.events(expression.window), facts):
            found[labels] = found.get(labels, 0) + 1
        return facts.events_known(looked_for), found

    return count


def picker(
    expression: Tally, texts: dict[str, Callable[[Item], str]]
) -> Callable[[Sequence[Item], Facts], list[tuple[Item, Labels]]]:
    """What passes all filters, with the texts that the named groups caught. Cheap filters come first."""
    tests = [(texts[one.label], tested(one)) for one in expression.filters if one.label != "match"]
    patterns = [one for one in expression.filters if one.label == "match"]

    def pick(items: Sequence[Item], facts: Facts) -> list[tuple[Item, Labels]]:
        left = items
        for text, test in tests:
            left = [item for item in left if test(text(item), facts)]
        caught: list[tuple[Item, dict[str, str]]] = [(item, {}) for item in left]
        for one in patterns if caught else ():
            caught = _matched(one, caught, texts["match"], facts)
        return [(item, tuple((name, groups.get(name, "")) for name in expression.by)) for item, groups in caught]

    return pick


def _matched(
    one: Filter, caught: list[tuple[Item, dict[str, str]]], text: Callable[[Item], str], facts: Facts
) -> list[tuple[Item, dict[str, str]]]:
    found = searched(one.text, [text(item) for item, _ in caught], facts.budget)
    if one.sign.startswith("!"):
        return [pair for pair, match in zip(caught, found, strict=True) if match is None]
    return [
        (item, groups | {name: (value or "")[:LONGEST_LABEL] for name, value in match.groupdict().items()})
        for (item, groups), match in zip(caught, found, strict=True)
        if match is not None
    ]


def kinds(expression: Tally) -> list[str]:
    """The kinds of event that it may count."""
    return [
        kind
        for kind in EVENT_KINDS
        if all(_is(one, kind) is not one.sign.startswith("!") for one in expression.filters if one.label == "kind")
    ]


def _is(one: Filter, kind: str) -> bool:
    return fits(one.text, kind, Budget()) if "~" in one.sign else bool(glob(one.text)(kind))

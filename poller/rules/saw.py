"""What a rule looked at, in one short line: "cpu.percent 97, load.1m_per_cpu 2.4"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import Expression
from poller.rules import forecast
from poller.rules.evaluate import compiled
from poller.rules.expression import Gather, Missing, Past, Reaches, Selector, Tally, parts_of
from poller.rules.facts import Facts
from poller.rules.figure import digits, figure, span
from poller.rules.kind import kind
from poller.rules.vector import ABSENT, Labels, Rest

LONGEST: Final = 300
# Label values that any(), all() and count() name.
_NAMED: Final = 3
Told = Callable[[Facts, Labels], str]


def saw(told: Sequence[Told], facts: Facts, labels: Labels) -> str:
    """What there was for one label set, at most LONGEST characters. It may hold text of a log: escape it."""
    text = ", ".join([tell(facts, labels) for tell in told])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@lru_cache(maxsize=4096)
def tellers(expression: Expression) -> tuple[Told, ...]:
    """For each thing that it looks at, from left to right, what says it."""
    return tuple(_teller(leaf) for leaf in dict.fromkeys(_leaves(expression)))


def _leaves(expression: Expression) -> Iterator[Expression]:
    """What is looked at, from left to right; what gathers labels counts as one."""
    if isinstance(expression, Selector | Tally | Past | Missing | Reaches | Gather):
        yield expression
        return
    for part in parts_of(expression):
        yield from _leaves(part)


def _teller(leaf: Expression) -> Told:
    run = compiled(leaf)
    value_of = _valued(leaf)

    def told(facts: Facts, labels: Labels) -> str:
        values, rest = run(facts)
        return value_of(values.get(labels, rest), labels)

    if isinstance(leaf, Reaches):
        return _forecast(leaf)
    if isinstance(leaf, Gather) and leaf.function in ("any", "all", "count"):
        return _named(leaf, told)
    return told


def _valued(leaf: Expression) -> Callable[[Rest, Labels], str]:
    if isinstance(leaf, Tally):
        thing = "line" if leaf.source == "log" else "event"
        about, group = _about(leaf), bool(leaf.by)
        return lambda value, labels: _several(value, thing) + about + (f", by {named(labels)}" if group else "")
    name, unit = leaf.metric if isinstance(leaf, Selector) else str(leaf), kind(leaf).unit
    begin, plain = f"{name} ", unit in ("", "percent")
    return lambda value, _labels: begin + (digits(value) if plain and type(value) is float else worded(value, unit))


def _several(value: Rest, thing: str) -> str:
    """As "12 lines", "1 line", "no lines", "lines unknown"."""
    if value is None or value is ABSENT:
        return f"{thing}s unknown"
    if isinstance(value, bool):
        return f"{thing}s" if value else f"no {thing}s"
    return f"{worded(value)} {thing}{'' if value == 1 else 's'}"


def _about(leaf: Tally) -> str:
    """As " of auth in 10m"."""
    wanted = "name" if leaf.source == "log" else "kind"
    names = [one.text for one in leaf.filters if one.label == wanted and one.sign == "="]
    return (f" of {names[0]}" if names else "") + (f" in {span(leaf.window)}" if leaf.window else "")


def _named(leaf: Gather, told: Told) -> Told:
    """With the label values for which it is so."""
    run = compiled(leaf.of)
    inner = [_teller(one) for one in dict.fromkeys(_leaves(leaf.of))]

    def with_names(facts: Facts, labels: Labels) -> str:
        values, _rest = run(facts)
        true = [each for each, value in values.items() if value is True]
        names = [f"{named(each)}: " + ", ".join(one(facts, each) for one in inner) for each in true[:_NAMED]]
        more = [f"{len(true) - _NAMED} more"] if len(true) > _NAMED else []
        return told(facts, labels) + (f" ({'; '.join([*names, *more])})" if names else "")

    return with_names


def _forecast(leaf: Reaches) -> Told:
    """As "disk.percent 87, 100% in 5.2h"."""
    name, unit = leaf.of.metric, CATALOGUE[leaf.of.metric].unit
    select = compiled(leaf.of)

    def told(facts: Facts, labels: Labels) -> str:
        values, rest = select(facts)
        newest = values.get(labels, rest)
        if newest is None or newest is ABSENT:
            return f"{name} {worded(newest)}"
        points = facts.points(name, labels, forecast.lookback(leaf.within))
        now_ms = facts.world.now_ms
        left = forecast.seconds_left([*points, (now_ms, newest)], now_ms, leaf.limit.value)
        when = "not in sight" if left is None else f"in {figure(left, 'seconds')}"
        return f"{name} {figure(newest, unit)}, {figure(leaf.limit.value, unit)} {when}"

    return told


def worded(value: Rest, unit: str = "") -> str:
    """A number, true, false, unknown, or none for what is not there."""
    if value is None:
        return "unknown"
    if value is ABSENT:
        return "none"
    return str(value).lower() if isinstance(value, bool) else figure(value, unit)


def named(labels: Labels) -> str:
    """As "source 192.0.2.7"."""
    return ", ".join(f"{name} {value}" for name, value in labels)

"""What every part of a rule saw, as a tree for people: `poller rules test`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from poller.model import AnyRule, Expression, Standing, World
from poller.rules.evaluate import compiled
from poller.rules.expression import Number, parts_of
from poller.rules.expressions import of
from poller.rules.facts import Facts
from poller.rules.judge import judged
from poller.rules.kind import kind
from poller.rules.matching import ExhaustedError
from poller.rules.saw import worded
from poller.rules.vector import ABSENT, Vector

# Label values whose value is told; of the others their number.
SHOWN: Final = 5
# The worst comes first: what a rule is, if it is about several label values.
_WORST: Final = (Standing.BREACH, Standing.UNKNOWN, Standing.BETWEEN, Standing.OK)


@dataclass(frozen=True, slots=True)
class Trace:
    """A part of a rule as canonical text, and what it saw: one value, or "/ 97, /var 41".

    `standing` is that of the whole rule at the root, of parts that are conditions BREACH where it is so somewhere and
    OK where it is not; None of numbers. Text and value may hold what a log says: escape them.
    """

    text: str
    value: str
    standing: Standing | None
    parts: tuple[Trace, ...] = ()


def explain(rule: AnyRule, world: World) -> Trace:
    """The condition, and `clear` if it has one, with all their parts that are no plain numbers."""
    facts = Facts(world)
    verdicts = judged(rule, facts)
    found = {verdict.standing for verdict in verdicts}
    facts.budget.next_rule()
    conditions = of(rule)
    holds = _trace(conditions.holds, facts)
    parts = (holds,) if conditions.clears is None else (holds, _clear(_trace(conditions.clears, facts)))
    return Trace(rule.metric, holds.value, next((one for one in _WORST if one in found), None), parts)


def _clear(trace: Trace) -> Trace:
    return Trace(f"clear: {trace.text}", trace.value, trace.standing, trace.parts)


def _trace(expression: Expression, facts: Facts) -> Trace:
    parts = tuple(_trace(part, facts) for part in _told(expression))
    try:
        vector = compiled(expression)(facts)
    except ExhaustedError as error:
        return Trace(str(expression), str(error), Standing.UNKNOWN, parts)
    of_kind = kind(expression)
    return Trace(
        str(expression),
        _value(vector, of_kind.unit),
        _standing(vector, labelled=bool(of_kind.labels)) if of_kind.condition else None,
        parts,
    )


def _told(expression: Expression) -> Iterator[Expression]:
    return (part for part in parts_of(expression) if not isinstance(part, Number))


def _value(vector: Vector, unit: str) -> str:
    """Of what has labels the first few in order, and whether there may be more."""
    values, rest = vector
    if not values:
        return "nothing there" if rest is ABSENT else worded(rest, unit)
    shown = [
        f"{', '.join(text for _, text in labels)} {worded(value, unit)}"
        for labels, value in list(values.items())[:SHOWN]
    ]
    more = [f"and {len(values) - SHOWN} more"] if len(values) > SHOWN else []
    return ", ".join([*shown, *more, *(["others unknown"] if rest is None else [])])


def _standing(vector: Vector, *, labelled: bool) -> Standing | None:
    values, rest = vector
    found = list(values.values())
    if rest is not ABSENT and (not labelled or rest is None):
        found.append(rest)
    if not found:
        return None
    if any(value is True for value in found):
        return Standing.BREACH
    return Standing.UNKNOWN if any(value is None for value in found) else Standing.OK

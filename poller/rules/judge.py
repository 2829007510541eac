"""Holds rules against what a poll brought, and what was before. Thresholds are short for rules: one evaluator.

A rule about something with labels (a file system, a source of logins) judges each label value apart. Here only this
one moment counts: how long a rule has been breached, and what becomes of it, is decided in `poller.alerts`.

What is missing is said, so that nobody downstream has to guess:
- an UNKNOWN verdict with labels: the thing is there (its row was in the report) but gave no such number;
- an UNKNOWN verdict without labels: nothing is known of this rule for any label value that has no verdict of its
  own, because a section could not be read completely or the host not reached;
- no verdict at all: the section was read, and the thing is no longer there (or no line of that source is left).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from poller.model import AnyRule, Expression, Standing, Threshold, Verdict, World
from poller.rules.evaluate import Run, compiled
from poller.rules.expression import COMPARISONS, LOGIC, Binary, Number, Prefix, Reaches
from poller.rules.expressions import Conditions, of
from poller.rules.facts import Facts
from poller.rules.kind import kind
from poller.rules.matching import ExhaustedError
from poller.rules.saw import saw, tellers
from poller.rules.vector import ABSENT, NO_LABELS, Labels, Rest, Value, against

# Rules that are ready to judge, by id(): a rule is a large value, and to hash it takes longer than to judge by it.
_READY: Final[dict[int, _Ready]] = {}
_MOST_READY: Final = 50_000


class _Ready:
    """A rule, compiled. `value` gives the number that its verdicts show, `band` how that stands where it says all."""

    __slots__ = ("band", "clears", "holds", "labelled", "rule", "tells", "value")

    def __init__(self, rule: AnyRule) -> None:
        conditions = of(rule)
        self.rule = rule
        self.holds = compiled(conditions.holds)
        self.clears: Run | None = None if conditions.clears is None else compiled(conditions.clears)
        self.value = compiled(shown(conditions.holds))
        self.band = _band(conditions)
        self.labelled = bool(kind(conditions.holds).labels)
        # The value of a plain threshold says it all.
        self.tells = tellers(conditions.holds) if not isinstance(rule, Threshold) or rule.within else ()


def _band(conditions: Conditions) -> Callable[[Value], Standing] | None:
    """`x > 90`, and `x <= 80` to clear: how one value of x stands. None for all other rules."""
    holds, clears = conditions
    breached, clear = _limit(holds), None if clears is None else _limit(clears)
    if breached is None or (clears is not None and (clear is None or shown(clears) != shown(holds))):
        return None
    if clear is None:
        return lambda value: _standing(breached(value), None)
    return lambda value: _standing(breached(value), clear(value) is True)


def _limit(condition: Expression) -> Callable[[Value], Value] | None:
    """What a value must be, where that is compared with a number."""
    if isinstance(condition, Binary) and condition.sign in COMPARISONS and isinstance(condition.right, Number):
        return against(condition.sign, condition.right.value)
    return None


def judge(rules: Sequence[AnyRule], world: World) -> tuple[Verdict, ...]:
    """One verdict per rule and label value it is about; UNKNOWN ones for what is there, or may be, without a value."""
    facts = Facts(world)
    verdicts: list[Verdict] = []
    for rule in rules:
        verdicts += judged(rule, facts)
    return tuple(verdicts)


def judged(rule: AnyRule, facts: Facts) -> list[Verdict]:
    """The verdicts of one rule."""
    facts.budget.next_rule()
    ready = _ready(rule)
    try:
        return _by_conditions(ready, facts) if ready.band is None else _by_value(ready, ready.band, facts)
    except ExhaustedError as error:
        return [Verdict(rule.metric, (), rule, Standing.UNKNOWN, None, str(error))]


def _ready(rule: AnyRule) -> _Ready:
    ready = _READY.get(id(rule))
    if ready is None or ready.rule is not rule:  # an id of the past may come again
        if len(_READY) >= _MOST_READY:
            _READY.clear()
        ready = _READY[id(rule)] = _Ready(rule)
    return ready


def _by_value(ready: _Ready, band: Callable[[Value], Standing], facts: Facts) -> list[Verdict]:
    """Of thresholds, and of rules that are as plain."""
    rule, tells, metric = ready.rule, ready.tells, ready.rule.metric
    values, rest = ready.value(facts)
    verdicts = [
        Verdict(metric, labels, rule, band(value), value, saw(tells, facts, labels) if tells else "")
        for labels, value in values.items()
    ]
    if not ready.labelled:
        value = None if rest is ABSENT else rest
        verdicts.append(Verdict(metric, (), rule, band(value), value, saw(tells, facts, ()) if tells else ""))
    elif rest is not ABSENT and band(rest) in (Standing.UNKNOWN, Standing.BREACH):
        verdicts.append(Verdict(metric, (), rule, Standing.UNKNOWN, None))
    return verdicts


def _by_conditions(ready: _Ready, facts: Facts) -> list[Verdict]:
    rule, tells, metric = ready.rule, ready.tells, ready.rule.metric
    values, rest = ready.holds(facts)
    numbers, number = ready.value(facts)
    clears, well = (NO_LABELS, None) if ready.clears is None else ready.clears(facts)
    banded = ready.clears is not None
    verdicts = []
    for labels, value in values.items():
        one = _standing(value, clears.get(labels, well) is True if banded else None)
        shows = None if value is None else _number(numbers.get(labels, number), value)
        verdicts.append(Verdict(metric, labels, rule, one, shows, saw(tells, facts, labels)))
    if not ready.labelled:
        value = None if rest is ABSENT else rest
        one = _standing(value, _well(clears, well) if banded else None)
        shows = None if value is None else _number(number, value)
        verdicts.append(Verdict(metric, (), rule, one, shows, saw(tells, facts, ())))
    elif rest is None or rest is True:
        verdicts.append(Verdict(metric, (), rule, Standing.UNKNOWN, None))
    return verdicts


def _standing(holds: Value, well: bool | None) -> Standing:
    """`well`: whether it is clear, None where there is no band."""
    if holds is None:
        return Standing.UNKNOWN
    if holds:
        return Standing.BREACH
    return Standing.OK if well is not False else Standing.BETWEEN


def _well(clears: Mapping[Labels, Value], well: Rest) -> bool:
    """What clears a rule without labels holds for all labels of its own."""
    values = list(clears.values())
    return all(value is True for value in values) if values else well is True


def _number(found: Rest, value: Value) -> float:
    """What a verdict shows: where there is no number, 1 for breached and 0 for not."""
    return float(bool(value) if found is None or found is ABSENT else found)


def shown(expression: Expression) -> Expression:
    """The number that tells most about a condition: what its first comparison compares; else the condition itself."""
    if isinstance(expression, Reaches):
        return expression.of
    if isinstance(expression, Prefix):
        return shown(expression.of)
    if isinstance(expression, Binary) and expression.sign in LOGIC:
        return shown(expression.left)
    if isinstance(expression, Binary) and expression.sign in COMPARISONS:
        return expression.right if isinstance(expression.left, Number) else expression.left
    return expression

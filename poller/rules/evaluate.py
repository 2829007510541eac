"""A rule's tree -> a function that gives its values for one judging. Compiled once for each tree that is different."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from poller.model import Expression
from poller.rules.expression import Binary, Gather, Missing, Number, Past, Prefix, Reaches, Selector, Tally
from poller.rules.facts import Facts
from poller.rules.gather import gathered
from poller.rules.select import missing, past, reached, selected
from poller.rules.tally import tallied
from poller.rules.vector import OPERATORS, Vector, against, alone, joined, mapped, negative, opposite

Run = Callable[[Facts], Vector]


@lru_cache(maxsize=20_000)
def compiled(expression: Expression) -> Run:
    """For a tree that is known to be sound (`poller.rules.kind`). The function raises ExhaustedError."""
    if isinstance(expression, Number):
        constant = alone(expression.value)
        return lambda _facts: constant
    if isinstance(expression, Binary):
        return _binary(expression)
    if isinstance(expression, Prefix):
        of, change = compiled(expression.of), opposite if expression.sign == "not" else negative
        return lambda facts: mapped(change, of(facts))
    if isinstance(expression, Gather):
        gather, vector = partial(gathered, expression.function), compiled(expression.of)
        return lambda facts: gather(vector(facts))
    return _once(_leaf(expression))


def _leaf(expression: Expression) -> Run:
    if isinstance(expression, Selector):
        return selected(expression)
    if isinstance(expression, Tally):
        return tallied(expression)
    if isinstance(expression, Past):
        return past(expression, compiled(expression.of))
    if isinstance(expression, Missing):
        return missing(expression, compiled(expression.of))
    if isinstance(expression, Reaches):
        return reached(expression, compiled(expression.of))
    raise TypeError(f"{type(expression).__name__} is no part of a rule")


def _once(look: Run) -> Run:
    """However many rules look at it, and ask for what was seen."""

    def run(facts: Facts) -> Vector:
        found = facts.memo.get(look)
        return facts.once(look) if found is None else found

    return run


def _binary(expression: Binary) -> Run:
    left, right, of = compiled(expression.left), compiled(expression.right), OPERATORS[expression.sign]
    if isinstance(expression.right, Number):
        change = against(expression.sign, expression.right.value)
        return lambda facts: mapped(change, left(facts))

    def run(facts: Facts) -> Vector:
        return joined(of, left(facts), right(facts))

    return run

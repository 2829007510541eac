"""A threshold is short for a rule: `disk.percent > 85`, and `disk.percent <= 80` to clear. One evaluator for both."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from poller.model import AnyRule, Expression, Rule, Threshold
from poller.rules.expression import Binary, Filter, Number, Reaches, Selector


class Conditions(NamedTuple):
    """When a rule is breached, and when it is well again; without `clears` as soon as it is breached no longer."""

    holds: Expression
    clears: Expression | None


@lru_cache(maxsize=20_000)
def of(rule: AnyRule) -> Conditions:
    """What a rule or threshold says, as trees."""
    if isinstance(rule, Rule):
        return Conditions(rule.condition, rule.clear)
    selector = Selector(rule.metric, tuple(Filter(name, "=", glob) for name, glob in rule.labels))
    return Conditions(_holds(rule, selector), _clears(rule, selector))


def _holds(rule: Threshold, selector: Selector) -> Expression:
    """Strictly beyond the limit, or on the way there."""
    if rule.within:
        return Reaches(selector, Number(rule.limit), rule.within, rule.above is not None)
    return Binary(rule.sign, selector, Number(rule.limit))


def _clears(rule: Threshold, selector: Selector) -> Expression | None:
    if rule.clear is None:
        return None
    return Binary("<=" if rule.above is not None else ">=", selector, Number(rule.clear))

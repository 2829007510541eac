"""What an expression gives: a value for each label set, and one for all others. Three-valued logic (Kleene 1938).

A value is a number, a truth, or None: unknown. `rest` is what holds for every label set that is not named: ABSENT where
there are no others, None where there may be and nothing is known of them, 0 where nothing was counted for them. What
has no labels is its `rest` alone, so that it goes with any labels.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from enum import Enum
from math import isfinite
from types import MappingProxyType
from typing import Final

Labels = tuple[tuple[str, str], ...]


class Absent(Enum):
    """There is no such thing."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Value = float | bool | None
Rest = float | bool | Absent | None
# A tuple without a name: thousands of them are made in one round.
Vector = tuple[Mapping[Labels, Value], Rest]
Operator = Callable[[Value, Value], Value]

NO_LABELS: Final[Mapping[Labels, Value]] = MappingProxyType({})


def alone(value: Value) -> Vector:
    """What has no labels."""
    return NO_LABELS, value


def both(left: Value, right: Value) -> bool | None:
    """`and`: false as soon as one side is, whatever the other."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either(left: Value, right: Value) -> bool | None:
    """`or`: true as soon as one side is, whatever the other."""
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def opposite(value: Value) -> bool | None:
    return None if value is None else not value


def negative(value: Value) -> float | None:
    return None if value is None else -value


def _known(of: Callable[[float, float], Value]) -> Operator:
    """Unknown as soon as one side is."""

    def compared(left: Value, right: Value) -> Value:
        return None if left is None or right is None else of(left, right)

    return compared


def _finite(of: Callable[[float, float], float]) -> Operator:
    """What has no finite result, as a division by zero, is unknown."""

    def computed(left: Value, right: Value) -> Value:
        return None if left is None or right is None else finite(of, left, right)

    return computed


def finite(of: Callable[..., float | None], *given: object) -> float | None:
    """What a host says can be as large as a number gets: a result that is none is unknown, and no error."""
    try:
        result = of(*given)
    except (ArithmeticError, ValueError):
        return None
    return result if result is not None and isfinite(result) else None


_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMPUTED: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "and": both,
        "or": either,
        **{sign: _known(of) for sign, of in _COMPARED.items()},
        **{sign: _finite(of) for sign, of in _COMPUTED.items()},
    }
)


def against(sign: str, constant: float) -> Callable[[Value], Value]:
    """The operator with a number on its right: what most rules are, and so without a detour."""
    compared, of = _COMPARED.get(sign), OPERATORS[sign]
    if compared is None:
        return lambda value: of(value, constant)
    return lambda value: None if value is None else compared(value, constant)


def mapped(of: Callable[[Value], Value], vector: Vector) -> Vector:
    """The same of each value."""
    values, rest = vector
    if not values:
        return values, rest if rest is ABSENT else of(rest)
    return {labels: of(value) for labels, value in values.items()}, rest if rest is ABSENT else of(rest)


def joined(of: Operator, left: Vector, right: Vector) -> Vector:
    """Label set by label set. What is absent on one side is absent, but for `or`: there the other side counts."""
    left_values, left_rest = left
    right_values, right_rest = right
    if not left_values and not right_values:
        return NO_LABELS, _rest(of, left_rest, right_rest)
    if left_values.keys() == right_values.keys():
        return {labels: of(value, right_values[labels]) for labels, value in left_values.items()}, _rest(
            of, left_rest, right_rest
        )
    result = {}
    for labels in (*left_values, *(labels for labels in right_values if labels not in left_values)):
        found = _rest(of, left_values.get(labels, left_rest), right_values.get(labels, right_rest))
        if found is not ABSENT:
            result[labels] = found
        elif of is either:
            result[labels] = left_values.get(labels, right_values.get(labels))
    return result, _rest(of, left_rest, right_rest)


def _rest(of: Operator, left: Rest, right: Rest) -> Rest:
    if left is not ABSENT and right is not ABSENT:
        return of(left, right)
    # Whether there are others cannot be told where `or` has a side that may have some.
    return None if of is either and (left is None or right is None) else ABSENT

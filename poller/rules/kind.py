"""What an expression gives: number or condition, of which unit, for which labels. What cannot be is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import Expression
from poller.model.threshold import is_glob
from poller.rules.expression import (
    COMPARISONS,
    LOGIC,
    Binary,
    Filter,
    Gather,
    Missing,
    Number,
    Past,
    Place,
    Prefix,
    Reaches,
    Selector,
    Tally,
    parts_of,
    place_of,
)
from poller.rules.mistake import at

# Units of the catalogue that are plain numbers: they go with each other.
_PLAIN: Final = frozenset({"count", "any", "0 or 1", "0 to 3", "degrees Celsius", ""})
_WRITTEN: Final = {
    "percent": "90%",
    "bytes": "5GiB",
    "bytes per second": "5MiB/s",
    "seconds": "10m",
    "per second": "5/s",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`labels` are names, () for one value alone. `unit` is that of the catalogue, "" for a plain number."""

    condition: bool
    labels: tuple[str, ...] = ()
    unit: str = ""


@lru_cache(maxsize=4096)
def kind(expression: Expression) -> Kind:
    """Raises RuleError at the place of what cannot be."""
    if isinstance(expression, Number):
        return Kind(condition=False, unit=expression.unit)
    if isinstance(expression, Selector):
        metric = CATALOGUE[expression.metric]
        return Kind(False, (metric.label,) if metric.label else (), "" if metric.unit in _PLAIN else metric.unit)
    if isinstance(expression, Tally):
        return Kind(not expression.counted, expression.by)
    if isinstance(expression, Past):
        of = kind(expression.of)
        return replace(of, unit=_per_second(of.unit)) if expression.function == "rate" else of
    if isinstance(expression, Missing):
        return Kind(condition=True)
    if isinstance(expression, Reaches):
        return _reaches(expression)
    return _combined(expression)


def _combined(expression: Expression) -> Kind:
    if isinstance(expression, Gather):
        return _gather(expression)
    if isinstance(expression, Prefix):
        of = kind(expression.of)
        _wants(expression.of, condition=expression.sign == "not", who=f"`{expression.sign}`")
        return of
    if not isinstance(expression, Binary):
        raise TypeError(f"{type(expression).__name__} is no part of a rule")
    if expression.sign in LOGIC:
        for operand in (expression.left, expression.right):
            _wants(operand, condition=True, who=f"`{expression.sign}`")
        return Kind(True, _labels(expression))
    for operand in (expression.left, expression.right):
        _wants(operand, condition=False, who=f"`{expression.sign}`")
    if expression.sign in COMPARISONS:
        _same_unit(expression)
        return Kind(True, _labels(expression))
    return Kind(False, _labels(expression), _unit(expression))


def _wants(operand: Expression, *, condition: bool, who: str) -> None:
    if kind(operand).condition is condition:
        return
    found, wanted = ("a number", "a condition") if condition else ("a condition", "a number")
    hint = "compare it with something: `cpu.percent > 90`" if condition else "conditions are joined by and, or, not"
    raise at(place_of(operand), f"{who} wants {wanted}, and this is {found}", hint)


def _labels(both: Binary) -> tuple[str, ...]:
    """One value alone goes with any labels; otherwise both must be told apart by the same."""
    left, right = kind(both.left).labels, kind(both.right).labels
    if left and right and left != right:
        raise at(
            both.at,
            f"one side is by {', '.join(left)} and the other by {', '.join(right)}: they cannot be combined",
            "put one of them into any(), all(), max(), min(), sum() or count()",
        )
    if left and right:
        _may_meet(both)
    return left or right


def _may_meet(both: Binary) -> None:
    """`x{mountpoint="/"} > 1 and x{mountpoint="/var"} > 1` holds for no mountpoint at all."""
    left, right = _only(both.left), _only(both.right)
    for label in left.keys() & right.keys():
        if left[label].text != right[label].text:
            raise at(
                both.at,
                f"one side is {left[label]} and the other {right[label]}: no {label} is both",
                "put each side into any(), so that they are looked at apart",
            )


def _only(expression: Expression) -> dict[str, Filter]:
    """Labels that can have one value alone. Nothing beneath what gathers labels, or widens by `or`."""
    if isinstance(expression, Selector):
        return {one.label: one for one in expression.filters if one.sign == "=" and not is_glob(one.text)}
    if isinstance(expression, Gather | Missing) or (isinstance(expression, Binary) and expression.sign == "or"):
        return {}
    found: dict[str, Filter] = {}
    for part in parts_of(expression):
        found |= _only(part)
    return found


def _gather(expression: Gather) -> Kind:
    of = kind(expression.of)
    counts = expression.function in ("any", "all", "count")
    _wants(expression.of, condition=counts, who=f"{expression.function}()")
    if not of.labels:
        raise at(
            place_of(expression.of),
            f"{expression.function}() gathers label values, and this has none",
            f"leave {expression.function}() out, or give it a time to look back: max(cpu.percent, 10m)",
        )
    if expression.function == "count":
        return Kind(condition=False)
    return Kind(counts, (), of.unit)


def _reaches(expression: Reaches) -> Kind:
    of = kind(expression.of)
    _fits(expression.limit, of.unit, CATALOGUE[expression.of.metric].unit)
    return Kind(True, of.labels)


def _same_unit(both: Binary) -> None:
    left, right = kind(both.left), kind(both.right)
    for number, other in ((both.right, left), (both.left, right)):
        if isinstance(number, Number):
            _fits(number, other.unit, _named(both.left if number is both.right else both.right, other.unit))
            return
    if left.unit and right.unit and left.unit != right.unit:
        raise at(both.at, f"{left.unit} cannot be compared with {right.unit}")


def _named(expression: Expression, unit: str) -> str:
    """What a plain number is called: as the catalogue does, where it is known."""
    if unit or not isinstance(expression, Selector):
        return unit or "a plain number"
    return CATALOGUE[expression.metric].unit


def _fits(number: Number, unit: str, name: str) -> None:
    """A number with a unit must have the one of what it is compared with. Bytes may leave the second out."""
    if number.unit in ("", unit) or (number.unit, unit) == ("bytes", "bytes per second"):
        return
    example = f": write {_WRITTEN[unit]}" if unit in _WRITTEN else ": write the number alone"
    raise at(number.place, f"{number} does not fit: the other side is in {name}{example}")


def _unit(both: Binary) -> str:
    """Of a sum, a product, a quotient."""
    left, right = kind(both.left).unit, kind(both.right).unit
    if both.sign in ("+", "-"):
        if left and right and left != right:
            raise at(both.at, f"{left} and {right} cannot be added or subtracted")
        return left or right
    if both.sign == "*":
        return left if not right else right if not left else ""
    if left == right:
        return ""
    if (left, right) == ("bytes", "seconds"):
        return "bytes per second"
    return left if not right else ""


def _per_second(unit: str) -> str:
    return {"bytes": "bytes per second", "": "per second"}.get(unit, "")


def must_be_condition(expression: Expression, place: Place) -> Kind:
    """Of a whole rule. RuleError for a number."""
    found = kind(expression)
    if not found.condition:
        raise at(place, "this is a number and no condition", "compare it with something: `cpu.percent > 90`")
    return found

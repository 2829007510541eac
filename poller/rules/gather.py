"""any, all, max, min, sum, avg and count over label values. One that is unknown leaves the whole unknown, unless the
others say enough: any() of one that is true is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum
from statistics import fmean
from typing import Final

from poller.rules.vector import ABSENT, Value, Vector, alone, both, either, finite


def gathered(function: str, vector: Vector) -> Vector:
    """One value without labels. Of no label value at all: any and all are false, sum and count 0, others unknown."""
    values, rest = vector
    everything = list(values.values())
    # Others that are not named count where they are unknown; where they are known (0 lines) there is no end of them.
    if rest is None:
        everything.append(None)
    elif rest is not ABSENT and function in ("any", "all", "max", "min"):
        everything.append(rest)
    return alone(FUNCTIONS[function](everything))


def _all(values: Sequence[Value]) -> Value:
    """False for nothing: what should hold everywhere holds somewhere."""
    everywhere: Value = True
    for value in values:
        everywhere = both(everywhere, value)
    return everywhere if values else False


def _any(values: Sequence[Value]) -> Value:
    somewhere: Value = False
    for value in values:
        somewhere = either(somewhere, value)
    return somewhere


def _known(of: Callable[[list[float]], float]) -> Callable[[Sequence[Value]], Value]:
    def known(values: Sequence[Value]) -> Value:
        numbers = [value for value in values if value is not None]
        return finite(of, numbers) if values and len(numbers) == len(values) else None

    return known


def _sum(values: Sequence[Value]) -> Value:
    return _known(fsum)(values) if values else 0.0


FUNCTIONS: Final[dict[str, Callable[[Sequence[Value]], Value]]] = {
    "any": _any,
    "all": _all,
    "max": _known(max),
    "min": _known(min),
    "avg": _known(fmean),
    "sum": _sum,
    "count": _sum,
}

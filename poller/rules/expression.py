"""What a rule says, as a tree. Each node prints itself as canonical text, which reads back as an equal tree.

`place` is where a node stands in the text it was read from, (begin, end) in characters; equality does not see it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import Expression
from poller.rules.figure import literal, span

Place = tuple[int, int]
NOWHERE: Final = (0, 0)
# How tight each operator binds; those of one row are read from left to right.
BINDING: Final = {
    "or": 1, "and": 2,
    ">": 4, ">=": 4, "<": 4, "<=": 4, "==": 4, "!=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6,
}  # fmt: skip
NOT_BINDS: Final = 3
COMPARISONS: Final = frozenset({">", ">=", "<", "<=", "==", "!="})
LOGIC: Final = frozenset({"and", "or"})


@dataclass(frozen=True, slots=True)
class Filter:
    """What a label must look like: `=` `!=` compare with a glob, `=~` `!~` with a regular expression.

    The `match` of `log` and `event` is a regular expression with `=` and `!=`, and found anywhere in the line.
    """

    label: str
    sign: str
    text: str
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{self.label}{self.sign}{quoted(self.text)}"


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """In base units. `unit` is "" for a bare number, which goes with any."""

    value: float
    unit: str = ""
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return literal(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Selector(Expression):
    """The newest values of a metric, one for each label value that passes all filters."""

    metric: str
    filters: tuple[Filter, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return self.metric + braced(self.filters)


@dataclass(frozen=True, slots=True)
class Tally(Expression):
    """Log lines (`source` "log") or events ("event") of the last `window` seconds, 0: of the newest poll alone.

    `counted`: how many; else whether there are any. `by` are named groups of the filters' patterns, in their order of
    name: each set of texts that they caught is looked at apart.
    """

    source: str
    filters: tuple[Filter, ...] = ()
    window: float = 0.0
    by: tuple[str, ...] = ()
    counted: bool = True
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        stream = f"{self.source}{braced(self.filters)}"
        if self.counted:
            stream = f"count({stream}, {span(self.window)})" if self.window else f"count({stream})"
        return f"{stream} by {', '.join(self.by)}" if self.by else stream


@dataclass(frozen=True, slots=True)
class Past(Expression):
    """avg, max, min, rate or delta of each series over the last `window` seconds, the newest value included."""

    function: str
    of: Selector
    window: float
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{self.function}({self.of}, {span(self.window)})"


@dataclass(frozen=True, slots=True)
class Missing(Expression):
    """Nothing there, or no value for `window` seconds for whatever reason."""

    of: Selector
    window: float = 0.0
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"missing({self.of}, {span(self.window)})" if self.window else f"missing({self.of})"


@dataclass(frozen=True, slots=True)
class Reaches(Expression):
    """The line through the last hours passes `limit` within so many seconds; `above`: from below, else from above."""

    of: Selector
    limit: Number
    within: float
    above: bool
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        usual = CATALOGUE[self.of.metric].higher_is_worse
        side = "" if self.above is usual else ", above" if self.above else ", below"
        return f"reaches({self.of}, {self.limit}, {span(self.within)}{side})"


@dataclass(frozen=True, slots=True)
class Gather(Expression):
    """any, all, max, min, sum, avg or count over all label values."""

    function: str
    of: Expression
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{self.function}({self.of})"


@dataclass(frozen=True, slots=True)
class Prefix(Expression):
    """`not` or `-` before its operand."""

    sign: str
    of: Expression
    place: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        if self.sign == "-":
            return f"-{_inside(self.of, 7)}"
        return f"not {_inside(self.of, NOT_BINDS)}"


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """Two operands and what stands between them; `at` is the place of that."""

    sign: str
    left: Expression
    right: Expression
    place: Place = field(default=NOWHERE, compare=False)
    at: Place = field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        binds = BINDING[self.sign]
        # Comparisons are no chain: either side of one is in parentheses if it is one itself.
        left = _inside(self.left, binds + (self.sign in COMPARISONS))
        return f"{left} {self.sign} {_inside(self.right, binds + 1)}"


def _inside(operand: Expression, least: int) -> str:
    """In parentheses if it binds less tight than `least`."""
    if isinstance(operand, Binary):
        binds = BINDING[operand.sign]
    elif isinstance(operand, Prefix):
        binds = NOT_BINDS if operand.sign == "not" else 7
    else:
        binds = 8
    return str(operand) if binds >= least else f"({operand})"


def braced(filters: tuple[Filter, ...]) -> str:
    return "{" + ", ".join(map(str, filters)) + "}" if filters else ""


def quoted(text: str) -> str:
    r"""Between double quotes. A backslash stays what it is, as regular expressions want it; only `\"` is a quote."""
    return '"' + re.sub(r'\\.|"', lambda found: '\\"' if found[0] == '"' else found[0], text, flags=re.DOTALL) + '"'


def place_of(expression: Expression) -> Place:
    """Where it stands; every node has a place."""
    place: Place = getattr(expression, "place", NOWHERE)
    return place


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """The operands, from left to right."""
    if isinstance(expression, Binary):
        return expression.left, expression.right
    if isinstance(expression, Prefix | Gather | Past | Missing | Reaches):
        return (expression.of,)
    return ()

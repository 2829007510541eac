"""Words -> tree: which operator binds first, and what each name, number and function is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from poller.model import Expression
from poller.rules.calls import FUNCTIONS, called
from poller.rules.expression import BINDING, COMPARISONS, NOT_BINDS, Binary, Number, Place, Prefix, Selector, place_of
from poller.rules.kind import kind
from poller.rules.mistake import at
from poller.rules.named import tally_of, value_of
from poller.rules.numeral import numeral
from poller.rules.words import Call, Operand, Run, Word

MOST_OPERATORS: Final = 60
_TIGHT: Final = 7


def meaning(run: Run) -> Expression:
    """RuleError at the first thing that means nothing."""
    return _Reader().read(run)


class _Reader:
    """Counts operators as it goes: the tree is never deeper than their number, and what walks it may recurse."""

    def __init__(self) -> None:
        self._operators = 0

    def read(self, run: Run) -> Expression:
        items = _Items(run)
        return self._climb(items, 0)

    def _climb(self, items: _Items, least: int) -> Expression:
        """Precedence climbing: an operand, and all operators behind it that bind at least so tight."""
        left = self._prefixed(items)
        while (sign := items.operator()) is not None and BINDING[sign.text] >= least:
            self._count(items.take(sign))
            right = self._climb(items, BINDING[sign.text] + 1)
            left = _checked(Binary(sign.text, left, right, (place_of(left)[0], place_of(right)[1]), sign.place))
            after = items.operator()
            if sign.text in COMPARISONS and after is not None and after.text in COMPARISONS:
                raise at(after.place, "comparisons make no chain", "write: a < b and b < c")
        return left

    def _prefixed(self, items: _Items) -> Expression:
        item = items.next()
        if not isinstance(item, Word):
            return self._operand(item)
        self._count(item)
        of = self._climb(items, NOT_BINDS if item.text == "not" else _TIGHT)
        place = (item.place[0], place_of(of)[1])
        if item.text == "-" and isinstance(of, Number):
            return Number(-of.value, of.unit, place)
        return _checked(Prefix(item.text, of, place))

    def _operand(self, item: Operand | Call | Run) -> Expression:
        if isinstance(item, Run):
            return self.read(item)
        if isinstance(item, Call):
            return _checked(called(item, self.read))
        if item.word.text[0].isdigit():
            return numeral(item.word)
        if item.word.text in FUNCTIONS:
            raise at(item.word.place, f"{item.word.text} is a function", f"as {FUNCTIONS[item.word.text]}")
        return tally_of(item) or _alone(value_of(item), item.by)

    def _count(self, sign: Word) -> None:
        self._operators += 1
        if self._operators > MOST_OPERATORS:
            raise at(
                sign.place, f"a rule has at most {MOST_OPERATORS} operators", "give parts of it a rule of their own"
            )


class _Items:
    """What is left of a run."""

    def __init__(self, run: Run) -> None:
        self._left: Iterator[Word | Operand | Call | Run] = iter(run.items)
        self._ahead: Word | Operand | Call | Run | None = next(self._left, None)
        self._place: Place = run.place

    def next(self) -> Word | Operand | Call | Run:
        item = self._ahead
        if item is None:
            raise at(self._place, "something is missing here")
        self._ahead = next(self._left, None)
        return item

    def operator(self) -> Word | None:
        """The one that comes next, if one does."""
        return self._ahead if isinstance(self._ahead, Word) else None

    def take(self, sign: Word) -> Word:
        self.next()
        return sign


def _checked(expression: Expression) -> Expression:
    kind(expression)
    return expression


def _alone(selector: Selector, by: tuple[Word, ...]) -> Selector:
    if by:
        raise at(by[0].place, "by goes with log{...}, event{...} and count() of these")
    return selector

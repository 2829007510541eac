"""`<redact>`: what must not be stored is taken out of lines. Python's `re` cannot be told to stop: its work is bounded.

config.xml refuses patterns whose time doubles with each character. What is left may still take the third or fourth
power of a line's length, and whoever writes the line knows how. So a line without the plain text that a pattern needs
is not searched for it; by a pattern that may go back and forth in several places only short lines are searched; and a
pattern that took a second of one poll is not tried again in it. Of a line that could not be searched nothing is stored
but `put`: it may hold what must not be kept.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from poller.model import Redaction

try:
    from re import _parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as _parser

# Seconds that a pattern may take of one poll.
ENOUGH: Final = 1.0
# How many parts of a pattern may fit in more than one way -> characters of a line that is searched: half a second each.
_LONGEST: Final = (1 << 20, 2048, 400, 128, 64)
_OFTEN: Final = 64
_CATEGORIES: Final = {"DIGIT": re.compile(r"\d"), "SPACE": re.compile(r"\s"), "WORD": re.compile(r"\w")}
# Case is left out of account, if only in brackets.
_ANY_CASE: Final = re.compile(r"\(\?[a-zA-Z]*i")
Item = tuple[Any, Any]


class Redactor:
    """Those of one host, for one poll."""

    def __init__(self, redactions: Iterable[Redaction], clock: Callable[[], float] = time.monotonic) -> None:
        self._patterns = [(*_compiled(one.pattern), one.put) for one in redactions]
        self._left = [ENOUGH] * len(self._patterns)
        self._clock = clock

    def __call__(self, text: str) -> str:
        for index, (pattern, needed, longest, put) in enumerate(self._patterns):
            if needed and needed not in text:
                continue
            if len(text) > longest or self._left[index] <= 0:
                return put
            begin = self._clock()
            text = put.join(_between(pattern, text))
            self._left[index] -= self._clock() - begin
        return text


def _between(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """What stands between the matches; not `split`, which would give their groups, too."""
    end = 0
    for match in pattern.finditer(text):
        yield text[end : match.start()]
        end = match.end()
    yield text[end:]


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[re.Pattern[str], str, int]:
    """(pattern, what a line that fits must hold, how long a line may be)"""
    pattern = re.compile(text)
    items = _flat(_parser.parse(text))
    needed = "" if pattern.flags & re.IGNORECASE or _ANY_CASE.search(text) else _literal(items)
    return pattern, needed, _LONGEST[min(_loose(items), len(_LONGEST) - 1)]


def _flat(items: Iterable[Item]) -> list[Item]:
    """Without the brackets that only group."""
    found: list[Item] = []
    for operation, value in items:
        if str(operation) in ("SUBPATTERN", "ATOMIC_GROUP"):
            found += _flat(value[-1] if str(operation) == "SUBPATTERN" else value)
        else:
            found.append((operation, value))
    return found


def _literal(items: list[Item]) -> str:
    """The longest run of plain characters."""
    runs = [""]
    for operation, value in items:
        if str(operation) == "LITERAL":
            runs[-1] += chr(value)
        elif str(operation) != "AT":
            runs.append("")
    return max(runs, key=len)


def _loose(items: list[Item]) -> int:
    """How many repetitions there are that the character behind them does not end."""
    count = 0
    for (operation, value), (after, char) in zip(items, [*items[1:], (None, None)], strict=True):
        if str(operation) in ("MAX_REPEAT", "MIN_REPEAT"):
            body = _flat(value[2])
            ended = len(body) == 1 and str(after) == "LITERAL" and not _fits(body[0], chr(char))
            count += _loose(body) + (value[1] > _OFTEN and not ended)
        elif str(operation) == "BRANCH":
            count += sum(_loose(_flat(branch)) for branch in value[1])
        elif str(operation) in ("ASSERT", "ASSERT_NOT"):
            count += _loose(_flat(value[1]))
    return count


def _fits(item: Item, char: str) -> bool:
    """Whether an item of one character may be this one; rather yes."""
    operation, value = str(item[0]), item[1]
    if operation == "LITERAL":
        return bool(value == ord(char))
    if operation == "NOT_LITERAL":
        return bool(value != ord(char))
    if operation == "RANGE":
        return bool(value[0] <= ord(char) <= value[1])
    if operation == "CATEGORY":
        name = str(value).removeprefix("CATEGORY_")
        test = _CATEGORIES.get(name.removeprefix("NOT_"))
        return test is None or bool(test.match(char)) != name.startswith("NOT_")
    if operation != "IN":
        return True
    negated = str(value[0][0]) == "NEGATE"
    return any(_fits(part, char) for part in value[negated:]) != negated

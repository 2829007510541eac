"""Regular expressions, bounded in time: text of other machines can never hang the poller.

A line gets LINE seconds of CPU; one that takes longer does not match. All patterns of one rule together get RULE
seconds in one poll, those of all rules POLL seconds; a rule for which that is used up is unknown, and says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from poller.model.threshold import is_glob
from poller.rules.mistake import at

if TYPE_CHECKING:
    import regex

LINE: Final = 0.02
RULE: Final = 0.25
POLL: Final = 1.0
LONGEST_PATTERN: Final = 1000
# A line is matched as far as this, in characters.
LONGEST_LINE: Final = 8192
# The clock is asked once for so many lines.
_STRIDE: Final = 64


class ExhaustedError(Exception):
    """The time for the patterns of a rule is used up."""

    def __str__(self) -> str:
        return "its regular expressions took too long: unknown"


class Budget:
    """Seconds of CPU that patterns may still take: of this poll, and of the rule at hand."""

    __slots__ = ("poll", "rule")

    def __init__(self) -> None:
        self.poll = POLL
        self.rule = min(RULE, self.poll)

    def next_rule(self) -> None:
        self.rule = min(RULE, self.poll)

    def spend(self, seconds: float) -> None:
        self.poll -= seconds
        self.rule -= seconds
        if self.rule <= 0:
            raise ExhaustedError


@lru_cache(maxsize=1024)
def pattern(text: str) -> regex.Pattern[str]:
    """Raises regex.error, as text that was checked never does."""
    import regex

    return regex.compile(text)


@lru_cache(maxsize=1024)
def glob(text: str) -> Callable[[str], object]:
    """As fnmatch.fnmatchcase(): sees case, and the whole text must fit."""
    if not is_glob(text):
        return text.__eq__
    return re.compile(translate(text)).match


def searched(text: str, lines: Iterable[str], budget: Budget) -> list[regex.Match[str] | None]:
    """The first match anywhere in each line, None where there is none or it took too long. ExhaustedError."""
    search = pattern(text).search
    found: list[regex.Match[str] | None] = []
    began = time.thread_time()
    for number, line in enumerate(lines, 1):
        try:
            found.append(search(line[:LONGEST_LINE], timeout=LINE))
        except TimeoutError:
            found.append(None)
            budget.spend(LINE)
            began = time.thread_time()
        if number % _STRIDE == 0:
            now = time.thread_time()
            budget.spend(now - began)
            began = now
    budget.spend(time.thread_time() - began)
    return found


def fits(text: str, value: str, budget: Budget) -> bool:
    """Whether the whole value matches. ExhaustedError."""
    try:
        return pattern(text).fullmatch(value[:LONGEST_LINE], timeout=LINE) is not None
    except TimeoutError:
        budget.spend(LINE)
        return False


def check(text: str, place: tuple[int, int]) -> frozenset[str]:
    """The names of its groups. RuleError for what is no regular expression, or explodes."""
    if len(text) > LONGEST_PATTERN:
        raise at(place, f"a regular expression has at most {LONGEST_PATTERN} characters")
    import regex

    try:
        compiled = pattern(text)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        where = getattr(error, "pos", None)
        # The text begins behind its quote.
        begin = place[0] + 1 + min(where, len(text)) if isinstance(where, int) else place[0]
        sentence = f"this is no regular expression: {getattr(error, 'msg', error)}"
        raise at((begin, max(begin + 1, place[1] - 1)), sentence) from None
    for letter in dict.fromkeys(["a", "0", " ", *(letter for letter in text if letter.isalnum())][:40]):
        _explodes(compiled, letter * 400 + "\x00", letter, place)
    return frozenset(compiled.groupindex)


def _explodes(compiled: regex.Pattern[str], line: str, letter: str, place: tuple[int, int]) -> None:
    """Tried, since no theory tells: a pattern that backtracks without end does so on a line of equal letters."""
    try:
        compiled.search(line, timeout=LINE)
    except TimeoutError:
        sentence = f"this takes far too long on a line of many {letter!r}: it repeats what repeats already"
        raise at(place, sentence, "write (a+)+ as a+, and (a|a)* as a*") from None

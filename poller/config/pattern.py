"""A regular expression that is safe to try on every line of a log: it compiles, and cannot take for ever over one.

Python's `re` goes back and forth: brackets that are repeated without bound and hold a choice of how to fit themselves,
`(a+)+` or `(a|aa)+`, double the time with each character of a line that does not fit. Whoever can write into a log
chooses that line.
"""

from __future__ import annotations

import re
from typing import Final

from poller.config import values
from poller.config.mistakes import WrongError, shortened

# So often is as bad as without bound.
_OFTEN: Final = 10
_COUNTS: Final = re.compile(r"\{(\d{0,9})(?:(,)(\d{0,9}))?\}")
_SIGNS: Final = {"*": (0, _OFTEN), "+": (1, _OFTEN), "?": (0, 1)}
# A set of characters; a "]" that stands first in it is one of them.
_SET: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]?", re.DOTALL)
_HINT: Final = "one line could keep it busy for ever: write a+ instead of (a+)+, [ab]+ instead of (a|b)+"


def regular(text: str) -> str:
    """The text, which is a regular expression as Python's `re` has them."""
    values.text(text)
    try:
        compiled = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise WrongError(f"is no regular expression: {shortened(str(error), 100)}") from None
    if compiled.match(""):
        raise WrongError("fits where nothing stands: between any two characters", "write + instead of *")
    if _explodes(text):
        raise WrongError("repeats brackets that hold a repetition or a | themselves", _HINT)
    return text


def _explodes(text: str) -> bool:
    """Whether brackets that hold a choice are repeated often. Looks at the signs alone, and rather refuses."""
    choices = [False]  # of the brackets that are open, the whole outermost
    closed = False  # whether brackets that hold a choice end just before
    position = 0
    while position < len(text):
        if repeated := _repetition(text, position):
            least, most, width = repeated
            if closed and most >= _OFTEN:
                return True
            choices[-1] |= least != most
            closed = False
        else:
            width = _width(text, position)
            closed = _entered(text[position], choices)
        position += width
    return False


def _repetition(text: str, position: int) -> tuple[int, int, int] | None:
    """(at least, at most, signs it takes) of `*`, `+`, `?` and `{2,3}`."""
    if text[position] in _SIGNS:
        return *_SIGNS[text[position]], 1
    counts = _COUNTS.match(text, position)
    if counts is None or not (counts[1] or counts[3]):
        return None  # a plain bracket
    least = int(counts[1] or 0)
    return least, int(counts[3] or _OFTEN) if counts[2] else least, len(counts[0])


def _width(text: str, position: int) -> int:
    if text[position] == "\\" or text.startswith("(?", position):
        return 2
    found = _SET.match(text, position)
    return len(found[0]) if found else 1


def _entered(sign: str, choices: list[bool]) -> bool:
    """Keeps count of brackets; True where some end that hold a choice."""
    if sign == "(":
        choices.append(False)
    elif sign == "|":
        choices[-1] = True
    elif sign == ")" and len(choices) > 1:
        inner = choices.pop()
        choices[-1] |= inner
        return inner
    return False

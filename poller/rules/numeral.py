"""Numbers of a rule: `90`, `90%`, `5GiB`, `5MiB/s`, `10m`, `1h30m`."""

from __future__ import annotations

import re
from typing import Final

from poller.metrics import BYTES, SECONDS
from poller.rules.expression import Number
from poller.rules.figure import span
from poller.rules.mistake import at
from poller.rules.words import Word

_PLAIN: Final = r"[0-9]{1,18}(?:\.[0-9]{1,18})?"
_ONE: Final = re.compile(rf"({_PLAIN})(%|[A-Za-z]*)(/s)?")
_TIME: Final = re.compile(rf"(?:{_PLAIN}[smhdw])+")
_TIME_PART: Final = re.compile(rf"({_PLAIN})([smhdw])")
SHORTEST: Final = 1.0
LONGEST: Final = 30 * 86400.0


def numeral(word: Word) -> Number:
    """In base units. RuleError for a unit that nobody knows."""
    if _TIME.fullmatch(word.text):
        seconds = sum(float(digits) * SECONDS[unit] for digits, unit in _TIME_PART.findall(word.text))
        return Number(seconds, "seconds", word.place)
    found = _ONE.fullmatch(word.text)
    if found is not None:
        value, unit, per_second = float(found[1]), found[2], bool(found[3])
        if unit in BYTES:
            return Number(value * BYTES[unit], "bytes per second" if per_second else "bytes", word.place)
        if not unit:
            return Number(value, "per second" if per_second else "", word.place)
        if unit == "%" and not per_second:
            return Number(value, "percent", word.place)
    raise at(word.place, f"{word.text[:40]!r} is no number", "write 90, 90%, 5GiB, 5MiB/s, 30s, 10m, 2h or 1d")


def window(number: object, place: tuple[int, int]) -> float:
    """A time to look back or ahead, in seconds. RuleError for what is none, or out of bounds."""
    if not isinstance(number, Number) or number.unit != "seconds":
        raise at(place, "a time is wanted here", "write 30s, 10m, 2h or 1d")
    if not SHORTEST <= number.value <= LONGEST:
        raise at(place, f"a time lies between {span(SHORTEST)} and {span(LONGEST)}")
    return number.value

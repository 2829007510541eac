"""`hours="mon-fri 08:00-18:00; sat 10:00-12:00"` and `zone="Europe/Berlin"`: weekly, by the clock of a place."""

from __future__ import annotations

import re
from typing import Final

from poller.config import values
from poller.config.mistakes import WrongError, meant
from poller.model import Hours
from poller.model.alerting import DAYS

_DAILY: Final = "daily"
_EXAMPLE: Final = "write mon-fri 08:00-18:00; sat 10:00-12:00, or daily 22:00-06:00"
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_MIDNIGHT: Final = 24 * 60


def hours(text: str) -> tuple[Hours, ...]:
    """Weekly hours, entries with `;` between them. Whose clock is meant says `zone=`; here it is UTC."""
    values.text(text)
    entries = [entry for entry in text.split(";") if entry.strip()]
    if not entries:
        raise WrongError("names no hours", _EXAMPLE)
    return tuple(found for entry in entries for found in _entry(entry))


def _entry(entry: str) -> list[Hours]:
    """Days first, none for every day; then spans, none for the whole day."""
    words = entry.replace(",", " ").split()
    spans = [word for word in words if word[0].isdigit()]
    if any(word[0].isdigit() for word in words[: len(words) - len(spans)]):
        raise WrongError(f'has days behind the time in "{entry.strip()[:40]}"', "a ; goes between two entries")
    when = days(" ".join(words[: len(words) - len(spans)]) or _DAILY)
    return [Hours(when, *span(each)) for each in spans] or [Hours(when)]


def span(text: str) -> tuple[int, int]:
    """`22:00-06:00` as minutes after midnight."""
    begin, dash, end = text.partition("-")
    if not dash:
        raise WrongError(f'has "{text[:40]}", which is no span of time', _EXAMPLE)
    return checked_span(clock(begin), clock(end))


def checked_span(begin: int, end: int) -> tuple[int, int]:
    """Both as given. They may run over midnight, but not nowhere."""
    if begin == end:
        raise WrongError("begins and ends at the same time", "a whole day is 00:00-24:00")
    if begin == _MIDNIGHT:
        raise WrongError("begins at 24:00", "write 00:00 of the day after")
    return begin, end


def clock(text: str) -> int:
    """Minutes after midnight of `08:00`; `24:00` is the end of the day."""
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > _MIDNIGHT:
        raise WrongError(f'has "{text[:40]}", which is no time of day', "write 08:00; a day ends at 24:00")
    return int(match[1]) * 60 + int(match[2])


def days(text: str) -> frozenset[int]:
    """Days of the week, 0 Monday: `mon-fri`, `sat sun`, `fri-mon`, `daily`."""
    words = text.replace(",", " ").split()
    if words == [_DAILY]:
        return frozenset(range(7))
    found: set[int] = set()
    for word in words:
        first, _, last = word.partition("-")
        begin, end = _day(first), _day(last) if "-" in word else _day(first)
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    if not found:
        raise WrongError("names no days", _EXAMPLE)
    return frozenset(found)


def _day(word: str) -> int:
    if word.lower() not in DAYS:
        raise WrongError(
            f'has "{word[:40]}", which is no day{meant(word.lower()[:3], DAYS)}', f"the days are {' '.join(DAYS)}"
        )
    return DAYS.index(word.lower())


def zone(text: str) -> str:
    """The name of a time zone of the IANA database."""
    from zoneinfo import ZoneInfo

    values.word(text)
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):  # KeyError: ZoneInfoNotFoundError; OSError: "Europe", which is a folder
        raise WrongError(
            f"is no time zone{_meant_zone(text)}", "as in the IANA database: Europe/Berlin, America/New_York, UTC"
        ) from None
    return text


def _meant_zone(text: str) -> str:
    """ "Berlin" and "europe/berlin" are clear enough."""
    from zoneinfo import available_timezones

    known = sorted(available_timezones())
    last = text.lower().replace(" ", "_")
    for name in known:
        if last in (name.lower(), name.rpartition("/")[2].lower()):
            return f'; did you mean "{name}"?'
    return meant(text, known)

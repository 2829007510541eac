"""The time zone of a host, as its probe tells it (`LogSource.zone`), and times of logs that leave out year or zone."""

from __future__ import annotations

import calendar
from typing import Final

DAY: Final = 86_400
MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
# A log may be this much ahead of its host's clock.
AHEAD: Final = DAY
# The 29th of February is at most so many years ago.
_YEARS: Final = 9


class Zone:
    """`told` are words: seconds east of UTC, then (epoch second, seconds east from then on), in order."""

    def __init__(self, told: str, clock: float) -> None:
        try:
            numbers = [int(word) for word in told.split()] or [0]
        except ValueError:
            numbers = [0]
        self._changes = [
            (at, east) for at, east in zip([-(1 << 62), *numbers[1::2]], numbers[::2], strict=False) if abs(east) <= DAY
        ]
        self._limit = clock + AHEAD
        self._year = _year(clock)
        self._days: dict[str, list[int]] = {}

    def epoch(self, local: float) -> float:
        """Epoch seconds of a local time, given as if it were UTC. Of an hour that there is twice the first."""
        found = local
        for at, east in self._changes:
            if local - east < at:
                break
            found = local - east
        return found

    def nearest(self, month: str, day: str, seconds: float) -> float | None:
        """Epoch seconds of so many seconds after a midnight, in the last year in which that is not in the future."""
        key = month + day
        days = self._days.get(key)
        if days is None:
            days = self._days[key] = self._midnights(month, day)
        for midnight in days:
            at = self.epoch(midnight + seconds)
            if at <= self._limit:
                return at
        return None

    def _midnights(self, month: str, day: str) -> list[int]:
        number = MONTHS.get(month, 0)
        years = range(self._year + 1, self._year - _YEARS, -1)
        found = [midnight(year, number, int(day)) for year in years]
        return [moment for moment in found if moment is not None]


def _year(clock: float) -> int:
    return 1970 + int(clock // (365.2425 * DAY))


def midnight(year: int, month: int, day: int) -> int | None:
    """Seconds from 1970 to the beginning of that day, None when there is no such day."""
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None
    return calendar.timegm((year, month, day, 0, 0, 0))

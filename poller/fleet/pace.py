"""When next: every interval from a host's own first instant; what is late is left out; sooner after a loss. Pure.

Instants are seconds of a monotonic clock. A host is due at first, first + interval, first + 2 intervals, ...
Between those a host that was lost, or that nobody reached, is tried again: after 1 s, 2 s, 4 s and so on up to a
minute, so that it is back soon. Such a try counts for nothing when it fails: `down-after="3 polls"` means three that
were due.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

# Seconds of the first try after a loss, of the longest wait, and of the longest while somebody watches the host live.
FIRST_TRY: Final = 1.0
LONGEST: Final = 60.0
LONGEST_WATCHED: Final = 5.0
# First polls are logins: so many seconds are taken for each of them, at most.
_PER_LOGIN: Final = 0.05
# Later than this, something has stopped the whole poller (SIGSTOP, a machine that was suspended).
LATE: Final = 5.0
_SPREAD_LATE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Next:
    """A poll at `at`. One that is not `due` is a try, which tells of a success only."""

    at: float
    due: bool = True


@dataclass(frozen=True, slots=True)
class Pace:
    """One host's instants."""

    first: float
    interval: float

    def after(self, now: float) -> float:
        """The first instant later than `now`. Those that have passed are never made up for."""
        if now < self.first:
            return self.first
        return self.first + (int((now - self.first) / self.interval) + 1) * self.interval

    def at(self, interval: float, now: float) -> Pace:
        """Another interval from now on, with the same first instant: hosts that are apart stay so.

        One that is still to come is brought within the new interval, by so many of those.
        """
        early = max(0, math.ceil((self.first - now) / interval) - 1)
        return Pace(self.first - early * interval, interval)

    def next(
        self,
        now: float,
        began: float,
        tries: int,
        chance: float,
        *,
        again: bool,
        watched: bool = False,
        told: float = -math.inf,
        ended: float = -math.inf,
    ) -> Next:
        """The poll that follows the one which began at `began`. `tries` have failed since the host was there.

        `again`: it was lost, or not reached, so that trying sooner may help. `chance` is random, from 0 to 1.
        `told`: when the newest poll began that was told. One that was late, or back from a loss, stands for the
        instant that comes within half an interval after it: the host is not asked twice in a moment.
        `ended`: when the one from `began` was over. The wait before a try counts from there, for a dial that nobody
        answers takes longer than most waits; who is watched is dialled for seconds only: its wait counts from `began`.
        """
        due = self.after(max(now, told + self.interval / 2))
        if not again:
            return Next(due)
        wait = backoff(tries, chance, watched=watched)
        sooner = max(now, (began if watched else max(began, ended)) + wait)
        if sooner < due:
            return Next(sooner, due=False)
        # A wait that is longer than the interval leaves instants out, and ends at the last one within it. How long the
        # poll took does not count here: each instant that is left out is one failed poll less that is told.
        return Next(max(due, self.after(began + wait - self.interval)))


def backoff(tries: int, chance: float, *, watched: bool = False) -> float:
    """Seconds after a failed try: doubled with each, up to a minute, of which `chance` takes away up to a half."""
    most = LONGEST_WATCHED if watched else LONGEST
    return min(most, FIRST_TRY * 2.0 ** min(max(tries - 1, 0), 10)) * (1.0 - 0.5 * chance)


def first(name: str, now: float, interval: float, count: int) -> float:
    """The first instant of one of `count` hosts: the same share of the interval each time, by a hash of its name.

    A few hosts begin at once; many over as long as their logins may take, at most the interval.
    """
    if count < 5:
        return now
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return now + int.from_bytes(digest, "big") / 2**64 * min(interval, max(1.0, count * _PER_LOGIN))


def belated(at: float, now: float, interval: float, chance: float) -> float:
    """The instant at which a poll planned for `at` begins: at once, or a little later when all hosts are late."""
    return now if now - at <= LATE else now + chance * min(interval, _SPREAD_LATE)

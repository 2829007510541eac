"""When one host is polled next, and what of its past decides that: tries in vain, refused logins, the poll told last.

`pace` is the arithmetic, pure; this is what changes from poll to poll. Belongs to the host's thread.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace

from poller.fleet import meaning, pace
from poller.fleet.pace import Next, Pace
from poller.fleet.places import LATE
from poller.model import Poll, PollOutcome


class Agenda:
    """`next` is the poll that comes, None until the one before it is stored; others may read it.

    `tries` to get the host back have failed since it was there.
    """

    __slots__ = (
        "_again",
        "_began",
        "_counted",
        "_ended",
        "_falls",
        "_pace",
        "_refused",
        "_stood",
        "_told",
        "next",
        "tries",
    )

    def __init__(self, first: float | None, interval: float) -> None:
        """`first` is the instant of its first poll, None: it waits to be stored."""
        self._pace = Pace(time.monotonic() if first is None else first, interval)
        self.next = None if first is None else Next(first)
        self._began, self._ended = self._pace.first, -math.inf
        # When the newest poll began that stands for one of its instants; if all stood still meanwhile, when it came.
        self._told = -math.inf
        self.tries = 0
        self._falls = 0  # what the wait grows with: failures and losses, until a session lasts
        self._again = False  # to try sooner than at its instant may help
        self._counted = False  # the host counts our tries: none is sooner than the whole wait
        self._refused = False  # it refuses our logins, or was not asked
        self._stood = False

    @property
    def away(self) -> bool:
        """It was lost or failed, and has not been there for long since."""
        return self._falls > 0

    @property
    def began(self) -> float:
        """When its newest poll did, or since when it is lost."""
        return self._began

    def change(self, interval: float) -> None:
        """Another interval from now on. What is due already stays so, and a try that comes before the next instant."""
        if interval == self._pace.interval:
            return
        now = time.monotonic()
        self._pace = self._pace.at(interval, now)
        planned, instant = self.next, Next(self._pace.after(now))
        if planned is not None and planned.at > (now if planned.due else instant.at):
            self.next = instant

    def plan(self, *, holds: bool, live: bool) -> None:
        """`holds`: its session is held; `live`: somebody watches it."""
        self.next = self._pace.next(
            time.monotonic(),
            self._began,
            self._falls,
            0.0 if self._counted else _chance(),
            again=self._again and holds,
            watched=live,
            told=self._told,
            ended=self._ended,
        )

    def come(self) -> bool:
        """Whether the next poll begins now. After all have stood still it is put off a little: not all at once."""
        now, planned = time.monotonic(), self.next
        if planned is None or planned.at > now:
            return False
        at = pace.belated(planned.at, now, self._pace.interval, _chance())
        self.next = replace(planned, at=at)
        return at <= now

    @property
    def due(self) -> bool:
        """One of its instants has come, and nothing was done about it yet."""
        return self.next is not None and self.next.due and self.next.at <= time.monotonic()

    def lost(self) -> None:
        """Its session has ended by itself: it is tried again soon, and the sooner when it had lasted."""
        lasted = time.monotonic() - self._began >= pace.LONGEST
        self._falls = 1 if lasted else self._falls + 1
        self.soon()

    def soon(self) -> None:
        """From now on it is tried."""
        self._began = time.monotonic()
        self._again = True

    def hasten(self) -> None:
        """Somebody begins to look at it while it is away: the next try is at once, though not sooner than the first
        one after a loss. Nothing changes for a host that refuses our logins."""
        if self._refused:
            return
        self._again = True
        sooner = Next(max(time.monotonic(), self._began + pace.FIRST_TRY), due=False)
        if self.next is not None and sooner.at < self.next.at:
            self.next = sooner

    def begin(self) -> None:
        """A poll does."""
        self._began = time.monotonic()

    def settle(self, polled: Poll, *, held: bool, connected: bool, live: bool) -> None:
        """What came of it. `held`: there was a session before; `connected`: there is one now."""
        self._ended = time.monotonic()
        reached = meaning.answered(polled)
        if reached:
            self.tries = 0
            # One that answers and breaks, again and again, must not be asked every second.
            self._falls = 0 if held or not connected else self._falls
        elif polled.outcome is PollOutcome.FAILED:
            self.tries += not held  # the one that lost it was none to get it back
            self._falls += 1
        self._counted = meaning.boots(polled)
        self._refused = meaning.refused(polled)
        self._again = not reached and meaning.worth_trying(polled, held=held, watched=live)

    @property
    def fell_due(self) -> bool:
        """One of its instants has come since its newest poll began: if that was a try, it stands for this instant."""
        return self._pace.after(max(self._began, self._told + self._pace.interval / 2)) <= time.monotonic()

    def tell(self, deadline: float, *, asked: bool) -> None:
        """The poll is told. One that somebody asked for stands for no instant."""
        if not asked:
            self._told = time.monotonic() if self._late(deadline) else self._began
        self.next = None

    def overran(self, deadline: float) -> bool:
        """Whether the poll has taken longer than it may."""
        return time.monotonic() - self._began >= deadline

    def _late(self, deadline: float) -> bool:
        """So much longer that the whole process must have stood still meanwhile."""
        return self.overran(deadline + LATE)

    def stood_still(self, polled: Poll, deadline: float) -> bool:
        """Whether the whole process did while it polled: such a failure is not the host's. Not twice in a row."""
        before, self._stood = self._stood, self._late(deadline) and not meaning.answered(polled)
        return self._stood and not before

    def repeat(self, planned: Next) -> None:
        """The same once more, at once or in a moment."""
        self.next = replace(planned, at=pace.belated(self._began, time.monotonic(), self._pace.interval, _chance()))


def _chance() -> float:
    return random.random()  # noqa: S311 - no secret

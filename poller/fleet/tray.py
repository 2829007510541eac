"""What the hosts' threads bring, until somebody takes it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Final

from poller.model import Arrivals, LinkState, Poll, Push

# Seconds that finished polls wait for company. Taking them in one by one costs up to twice as much CPU as in one go,
# and each commit is an fsync.
LINGER: Final = 2.0
# Rows of pushes that wait at most, some 450 bytes each: 45 MB. One that only says that its host is there counts as one.
MOST_ROWS: Final = 100_000


class Tray:
    """Thread-safe; one thread takes. Who puts something there wakes it only when it would take it now."""

    def __init__(self, linger: float = LINGER) -> None:
        self.linger = linger
        self._changed = threading.Condition()
        self._polls: list[Poll] = []
        self._pushes: deque[Push] = deque()
        self._rows = 0
        self._links: list[LinkState] = []
        self._ripe = math.inf
        self._most = 1

    def poll(self, poll: Poll, *, urgent: bool = False) -> None:
        """`urgent`: somebody waits for it."""
        with self._changed:
            self._polls.append(poll)
            ripe = time.monotonic() + (0.0 if urgent else self.linger)
            sooner = ripe < self._ripe
            self._ripe = min(self._ripe, ripe)
            if sooner or len(self._polls) >= self._most:
                self._changed.notify()

    def push(self, push: Push) -> None:
        """While nobody takes anything for long, the oldest go: what they told, the next poll of the host tells."""
        with self._changed:
            self._pushes.append(push)
            self._rows += _rows(push)
            while self._rows > MOST_ROWS and len(self._pushes) > 1:
                self._rows -= _rows(self._pushes.popleft())
            self._changed.notify()

    def link(self, link: LinkState) -> None:
        with self._changed:
            self._links.append(link)
            self._changed.notify()

    def ring(self) -> None:
        """Wakes who takes: something else than arrivals changed."""
        with self._changed:
            self._changed.notify()

    def take(self, until: float, most: int) -> Arrivals:
        """As Engine.take; `until` is an instant of the monotonic clock. Polls stay until they waited long enough."""
        with self._changed:
            self._most = most
            while not (self._pushes or self._links or len(self._polls) >= most):
                left = min(until, self._ripe) - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            ripe = len(self._polls) >= most or time.monotonic() >= self._ripe
            return self._taken(most if ripe else 0)

    def rest(self) -> Arrivals:
        """All that there is."""
        with self._changed:
            return self._taken(len(self._polls))

    def _taken(self, most: int) -> Arrivals:
        polls, self._polls = self._polls[:most], self._polls[most:]
        pushes, self._pushes, self._rows = self._pushes, deque(), 0
        links, self._links = self._links, []
        if not self._polls:
            self._ripe = math.inf
        elif polls:
            self._ripe = 0.0
        return Arrivals(tuple(polls), tuple(pushes), tuple(links))


def _rows(push: Push) -> int:
    read = sum(len(section.rows) for section in push.reading.sections) if push.reading else 0
    return 1 + read + len(push.encounters) + len(push.hints)

"""What the hosts' threads bring, until somebody takes it."""

from __future__ import annotations

import math
import select
import threading
import time
from collections import deque
from typing import Final

from poller.bell import Bell
from poller.model import Arrivals, LinkState, Poll, Push

# Seconds that finished polls wait for company. Taking them in one by one costs up to twice as much CPU as in one go,
# and each commit is an fsync.
LINGER: Final = 2.0
# Rows of pushes that wait at most, some 450 bytes each: 45 MB. One that only says that its host is there counts as one.
MOST_ROWS: Final = 100_000


class Tray:
    """Thread-safe; one thread takes. Who puts something there wakes it only when it would take it now.

    `woken`: the newest `take` ended because somebody rang, or `wake` was readable.
    """

    def __init__(self, linger: float = LINGER) -> None:
        """OSError: there are no more files."""
        self.linger = linger
        self.woken = False
        self._bell = Bell()
        self._lock = threading.Lock()
        self._polls: list[Poll] = []
        self._pushes: deque[Push] = deque()
        self._left_out: dict[str, Push] = {}
        self._rows = 0
        self._links: list[LinkState] = []
        self._ripe = math.inf
        self._most = 1
        self._rung = False

    def poll(self, poll: Poll, *, urgent: bool = False) -> None:
        """`urgent`: somebody waits for it."""
        with self._lock:
            self._polls.append(poll)
            ripe = time.monotonic() + (0.0 if urgent else self.linger)
            wanted = ripe < self._ripe or len(self._polls) >= self._most
            self._ripe = min(self._ripe, ripe)
        if wanted:
            self._bell.set()

    def push(self, push: Push) -> None:
        """While nobody takes anything for long, the oldest go. Of what they told, their host's count is left."""
        with self._lock:
            self._pushes.append(push)
            self._rows += _rows(push)
            while self._rows > MOST_ROWS and len(self._pushes) > 1:
                oldest = self._pushes.popleft()
                self._rows -= _rows(oldest)
                self._leave_out(oldest)
        self._bell.set()

    def _leave_out(self, push: Push) -> None:
        before = self._left_out.get(push.host)
        lost = _rows(push) - 1 + push.lost + (before.lost if before else 0)
        if lost:
            self._left_out[push.host] = Push(push.host, push.sequence, push.at_ms, lost=lost)

    def link(self, link: LinkState) -> None:
        with self._lock:
            self._links.append(link)
        self._bell.set()

    def ring(self) -> None:
        """Wakes who takes: something else than arrivals changed."""
        self._rung = True
        self._bell.set()

    def take(self, until: float, most: int, wake: int = -1) -> Arrivals:
        """As Engine.take; `until` is an instant of the monotonic clock. Polls stay until they waited long enough.

        Ends as well after `ring`, and when the descriptor `wake` is readable.
        """
        self.woken = False
        while True:
            self._bell.clear()  # before it is looked: what comes from here on rings it anew
            with self._lock:
                now, self._most = time.monotonic(), most
                ripe = len(self._polls) >= most or now >= self._ripe
                if self._pushes or self._links or ripe or self._rung or self.woken or now >= until:
                    self.woken, self._rung = self.woken or self._rung, False
                    return self._taken(most if ripe else 0)
                left = min(until, self._ripe) - now
            self.woken = self._wait(left, wake)

    def _wait(self, seconds: float, wake: int) -> bool:
        """For the bell, or `wake`: whether it was that."""
        waiting = select.poll()  # select.select cannot watch descriptors above 1023
        for number in (self._bell.fd, wake):
            if number >= 0:
                waiting.register(number, select.POLLIN)
        came = waiting.poll(None if seconds == math.inf else max(0.0, seconds) * 1000)
        return any(number == wake for number, _ in came)

    def rest(self) -> Arrivals:
        """All that there is."""
        with self._lock:
            return self._taken(len(self._polls))

    def close(self) -> None:
        """Nobody waits here any more."""
        self._bell.close()

    def _taken(self, most: int) -> Arrivals:
        polls, self._polls = self._polls[:most], self._polls[most:]
        pushes, self._pushes, self._rows = (*self._left_out.values(), *self._pushes), deque(), 0
        links, self._links = self._links, []
        self._left_out.clear()
        if not self._polls:
            self._ripe = math.inf
        elif polls:
            self._ripe = 0.0
        return Arrivals(tuple(polls), pushes, tuple(links))


def _rows(push: Push) -> int:
    read = sum(len(section.rows) for section in push.reading.sections) if push.reading else 0
    return 1 + read + len(push.encounters) + len(push.hints)

"""What the hosts' threads bring, until somebody takes it."""

from __future__ import annotations

import math
import threading
import time
from typing import Final

from poller.model import Arrivals, LinkState, Poll, Push

# Seconds that finished polls wait for company. Taking them in one by one costs up to twice as much CPU as in one go,
# and each commit is an fsync.
LINGER: Final = 1.0


class Tray:
    """Thread-safe; one thread takes. Who puts something there wakes it only when it would take it now."""

    def __init__(self, linger: float = LINGER) -> None:
        self._linger = linger
        self._changed = threading.Condition()
        self._polls: list[Poll] = []
        self._pushes: list[Push] = []
        self._links: list[LinkState] = []
        self._ripe = math.inf
        self._most = 1

    def poll(self, poll: Poll, *, urgent: bool = False) -> None:
        """`urgent`: somebody waits for it."""
        with self._changed:
            self._polls.append(poll)
            ripe = time.monotonic() + (0.0 if urgent else self._linger)
            sooner = ripe < self._ripe
            self._ripe = min(self._ripe, ripe)
            if sooner or len(self._polls) >= self._most:
                self._changed.notify()

    def push(self, push: Push) -> None:
        with self._changed:
            self._pushes.append(push)
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
        """As Engine.take; `until` is an instant of the monotonic clock."""
        with self._changed:
            self._most = most
            while not (self._pushes or self._links or len(self._polls) >= most):
                left = min(until, self._ripe) - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._taken(most)

    def _taken(self, most: int) -> Arrivals:
        polls, self._polls = self._polls[:most], self._polls[most:]
        pushes, self._pushes = self._pushes, []
        links, self._links = self._links, []
        self._ripe = 0.0 if self._polls else math.inf
        return Arrivals(tuple(polls), tuple(pushes), tuple(links))

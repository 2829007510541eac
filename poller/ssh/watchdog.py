"""Ends, from outside paramiko, every connection that is past its deadline.

One daemon thread for the whole process, started with the first watched thing. It never blocks on anything but its own
clock: what it calls (`Watched.expire`) must return at once.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import Final, Protocol


class Watched(Protocol):
    """Something with a deadline that may move, on the monotonic clock; `inf` while nobody waits for it.

    `noted` belongs to the watchdog: when it will look next.
    """

    at: float
    noted: float
    closed: bool

    def expire(self) -> float | None:
        """Ends it without blocking. A number asks to be called again that many seconds later."""


class Watchdog:
    """A deadline that moves later costs nothing: its old entry is put back when it comes up."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Watched]] = []
        self._count = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(self, watched: Watched) -> None:
        """Makes sure that `watched` is looked at when its deadline passes, at the latest."""
        with self._condition:
            if watched.noted <= watched.at:
                return
            earliest = self._heap[0][0] if self._heap else float("inf")
            self._note(watched)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ssh-watchdog", daemon=True)
                self._thread.start()
            elif watched.at < earliest:
                self._condition.notify()

    def _note(self, watched: Watched) -> None:
        watched.noted = watched.at
        if watched.at != float("inf"):
            heapq.heappush(self._heap, (watched.at, next(self._count), watched))

    def _run(self) -> None:
        while True:
            for watched in self._wait():
                again = watched.expire()
                if again is not None:
                    watched.at = time.monotonic() + again
                    self.watch(watched)

    def _wait(self) -> list[Watched]:
        """Blocks until something may be due; takes it off the heap."""
        with self._condition:
            while not self._heap:
                self._condition.wait()
            now = time.monotonic()
            if self._heap[0][0] > now:
                self._condition.wait(self._heap[0][0] - now)
            return self._take(time.monotonic())

    def _take(self, now: float) -> list[Watched]:
        due = []
        while self._heap and self._heap[0][0] <= now:
            at, _, watched = heapq.heappop(self._heap)
            if watched.closed or at != watched.noted:
                continue
            watched.noted = float("inf")
            if watched.at <= now:
                due.append(watched)
            else:
                self._note(watched)
        return due


WATCHDOG: Final = Watchdog()

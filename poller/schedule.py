"""WHEN: one thread per host, at most so many at once, the start staggered by a hash of the name.

In: hosts and what to do with one. Out: finished polls, in the order in which they finish. A host that is stuck
delays nobody: its thread is given up soon after its deadline, and its place is free again.
"""

from __future__ import annotations

import hashlib
import math
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from poller.model import Host, Poll
from poller.poll import lacking, unable
from poller.ssh import affordable

# Seconds beyond a host's deadline before its thread is given up.
_GRACE: Final = 2.0
# Logins per second that one core can start; spreading a round wider than that only makes it longer.
_STARTS_PER_SECOND: Final = 100.0
_LONGEST_SPREAD: Final = 5.0
# Seconds that finished polls wait for company while others are still going on. Taking them in one by one, between
# threads that do something else, costs up to twice as much CPU as in one go, and each commit is an fsync.
_LINGER: Final = 0.5
# What was lacking may be there again after this many seconds; a poll that lacked something is tried so often more.
_PAUSE: Final = 0.25
_TRIES: Final = 5


def stagger(name: str, count: int) -> float:
    """Seconds after the start of a round of `count` hosts at which this one begins: always the same for one name."""
    if count < 5:
        return 0.0
    spread = min(_LONGEST_SPREAD, count / _STARTS_PER_SECOND)
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * spread


@dataclass(slots=True)
class Stop:
    """Asks a round to end early. Set by a signal handler; `reason` becomes 128 + signal number."""

    event: threading.Event = field(default_factory=threading.Event)
    signal: int = 0

    def request(self, signal: int) -> None:
        self.signal = signal
        self.event.set()

    @property
    def requested(self) -> bool:
        return self.event.is_set()


@dataclass(slots=True)
class _Running:
    host: Host
    ends: float


class Schedule:
    """One round. Iterating over `polls()` runs it in the calling thread's time; only host threads do the asking."""

    def __init__(
        self,
        hosts: Sequence[Host],
        ask: Callable[[Host], Poll],
        overdue: Callable[[Host], Poll],
        unable: Callable[[Host], Poll] = unable,
        *,
        at_once: int,
        stop: Stop,
    ) -> None:
        start = time.monotonic()
        self._waiting = sorted(
            ((start + stagger(host.name, len(hosts)), host.name, host) for host in hosts), reverse=True
        )
        self._ask = ask
        self._overdue = overdue
        self._unable = unable
        self._at_once = affordable(at_once)
        self._stop = stop
        self._running: dict[str, _Running] = {}
        self._finished: queue.SimpleQueue[Poll] = queue.SimpleQueue()
        self._not_before = start
        self._no_thread = False
        self._tries: Counter[str] = Counter()
        self._longest = max((host.poll.deadline for host in hosts), default=0.0)
        self._hopeless = math.inf

    def polls(self, most: int = 100) -> Iterator[list[Poll]]:
        """Finished polls in batches of about `most`, none kept longer than a moment, and the last one not at all."""
        batch: list[Poll] = []
        ripe = math.inf
        while (self._waiting or self._running) and not self._stop.requested:
            self._start_due()
            batch += self._collect(most - len(batch), ripe) + self._give_up() + self._never_started()
            if batch and (len(batch) >= most or time.monotonic() >= ripe):
                yield batch
                batch = []
            ripe = min(ripe, time.monotonic() + _LINGER) if batch else math.inf
        if self._stop.requested:
            batch += self._collect(most, 0.0)  # what has finished by now
        if batch:
            yield batch

    def _start_due(self) -> None:
        while self._waiting and len(self._running) < self._at_once and self._next_start() <= time.monotonic():
            host = self._waiting[-1][2]
            thread = threading.Thread(target=self._work, args=(host,), name=f"poll {host.name}", daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):  # no more threads: this host waits until another one has ended
                self._no_thread, self._not_before = True, time.monotonic() + _PAUSE
                return
            self._no_thread = False
            self._waiting.pop()
            self._running[host.name] = _Running(host, time.monotonic() + host.poll.deadline + _GRACE)

    def _next_start(self) -> float:
        return max(self._waiting[-1][0], self._not_before)

    def _never_started(self) -> list[Poll]:
        """Hosts for whom there was no thread for as long as they may take; all that wait, when nothing gets through."""
        if time.monotonic() >= self._hopeless:
            waiting, self._waiting = self._waiting, []
            return [self._unable(host) for _, _, host in waiting]
        if not self._no_thread or self._running:
            return []
        now = time.monotonic()
        late = [one for one in self._waiting if one[0] + one[2].poll.deadline <= now]
        self._waiting = [one for one in self._waiting if one not in late]
        return [self._unable(host) for _, _, host in late]

    def _work(self, host: Host) -> None:
        try:
            polled = self._ask(host)
        except MemoryError:  # around the poll, which says so by itself
            polled = self._unable(host)
        self._finished.put(polled)

    def _collect(self, most: int, until: float) -> list[Poll]:
        batch: list[Poll] = []
        try:
            arrived = self._finished.get(timeout=self._patience(until))
            while True:
                # A thread that was given up may come back after all: its host was reported already.
                running = self._running.pop(arrived.host, None)
                if running and not self._put_off(running.host, arrived):
                    batch.append(arrived)
                if len(batch) >= most:
                    return batch
                arrived = self._finished.get_nowait()
        except queue.Empty:
            return batch

    def _put_off(self, host: Host, poll: Poll) -> bool:
        """A poll for which something was lacking is tried again, with no more at once than there is enough for.

        For as long as one poll may take; a round in which nothing gets through must not last for hours.
        """
        if not lacking(poll):
            self._hopeless = math.inf
            return False
        self._hopeless = min(self._hopeless, time.monotonic() + self._longest)
        if self._tries[host.name] >= _TRIES or time.monotonic() >= self._hopeless:
            return False
        self._tries[host.name] += 1
        self._at_once = max(1, min(self._at_once, len(self._running)))
        self._waiting.append((time.monotonic() + _PAUSE, host.name, host))
        self._waiting.sort(reverse=True)
        return True

    def _patience(self, until: float) -> float:
        """Seconds until something else than a finished poll wants attention; short enough to notice a stop."""
        now = time.monotonic()
        moments = [now + 0.25, until, *(running.ends for running in self._running.values())]
        if self._waiting and len(self._running) < self._at_once:
            moments.append(self._next_start())
        return max(0.0, min(moments) - now)

    def _give_up(self) -> list[Poll]:
        now = time.monotonic()
        late = [running.host for running in self._running.values() if running.ends <= now]
        for host in late:
            del self._running[host.name]
        return [self._overdue(host) for host in late]

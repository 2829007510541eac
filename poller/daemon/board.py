"""THE BOARD: how the fleet stands, written by the thread that stores polls and read by all others. Thread-safe.

A daemon has no rounds that end. What judges a whole fleet gets the newest poll of each host instead, and each shortest
interval= the polls of that time are counted together, as the round that later polls refer to.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from poller.clock import now_ms
from poller.intake import Taken
from poller.itself import Round
from poller.model import Config, Poll, PollOutcome

_GAVE: Final = (PollOutcome.OK, PollOutcome.PARTIAL)
_MOST_LATE: Final = 10_000
_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Tally:
    """Polls of some time: by outcome, changes of alerts, and seconds after their time in which 95 of 100 had begun."""

    outcomes: Counter[str]
    changes: int
    late: float
    seconds: float

    @property
    def good(self) -> int:
        return self.outcomes["ok"] + self.outcomes["partial"]


class Count:
    """Adds up polls until somebody asks for the sum."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._outcomes: Counter[str] = Counter()
        self._changes = 0
        self._late: list[float] = []

    def add(self, one: Taken, late: float | None) -> None:
        self._outcomes[str(one.poll.outcome)] += 1
        self._changes += len(one.changes)
        if late is not None and len(self._late) < _MOST_LATE:
            self._late.append(late)

    def end(self) -> Tally:
        """The sum, and a new beginning."""
        tally = Tally(self._outcomes, self._changes, _percentile(self._late), time.monotonic() - self._since)
        self._begin()
        return tally


class Board:
    """Of the hosts of `config`: each one's newest poll, without its report."""

    def __init__(self, config: Config) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, Poll] = {}
        self._came: dict[str, float] = {}  # when each of them did, on the monotonic clock
        self._late: float | None = None
        self._total: Counter[str] = Counter()
        self._round, self._minute = Count(), Count()
        self._failing: set[str] = set()
        self._stirred = True
        self.change(config)

    def change(self, config: Config) -> None:
        """The hosts are these from now on."""
        with self._lock:
            self._intervals = {host.name: host.poll.interval for host in config.hosts}
            self._window_ms = _window_ms(config)
            self._newest = {name: poll for name, poll in self._newest.items() if name in self._intervals}
            self._came = {name: at for name, at in self._came.items() if name in self._intervals}
            self._failing &= self._intervals.keys()
            self._stirred = True

    def take(self, taken: Sequence[Taken], now: float | None = None) -> None:
        """These polls were stored."""
        at = time.monotonic() if now is None else now
        with self._lock:
            for one in taken:
                self._take(one, at)

    def _take(self, one: Taken, at: float) -> None:
        poll = one.poll
        interval = self._intervals.get(poll.host)
        if interval is None:
            return
        late = _late(self._newest.get(poll.host), poll, at - self._came.get(poll.host, at), interval)
        self._came[poll.host] = at
        self._round.add(one, late)
        self._minute.add(one, late)
        self._total[str(poll.outcome)] += 1
        failing = poll.outcome not in _GAVE
        self._stirred |= bool(one.changes) or failing != (poll.host in self._failing)
        (self._failing.add if failing else self._failing.discard)(poll.host)
        self._newest[poll.host] = replace(poll, report=None, evidence=())

    def end_round(self) -> Tally:
        """The polls since the last time."""
        with self._lock:
            tally = self._round.end()
            self._late = tally.late
            return tally

    def end_minute(self) -> Tally:
        with self._lock:
            return self._minute.end()

    def stirred(self) -> bool:
        """Whether anything has happened since the last time that people may be told of, or that is somebody's fault."""
        with self._lock:
            was, self._stirred = self._stirred, False
            return was

    def fleet(self) -> Round:
        """As if a round over all hosts had just ended.

        A host that was well when it was asked last, but not lately, says nothing about now; one that failed may well
        have failed for the same reason as others.
        """
        with self._lock:
            newest, window_ms, late = tuple(self._newest.values()), self._window_ms, self._late
        since_ms = now_ms() - window_ms
        lately = [poll for poll in newest if poll.at_ms >= since_ms]
        polls = (*lately, *(poll for poll in newest if poll.at_ms < since_ms and poll.outcome not in _GAVE))
        began_ms = min((poll.at_ms for poll in lately), default=now_ms())
        return Round(True, began_ms, max(0.0, (now_ms() - began_ms) / 1000), polls, late or 0.0)

    def totals(self) -> tuple[Counter[str], int, Collection[str]]:
        """Polls by outcome since the start, hosts that were polled, and those whose newest poll brought nothing."""
        with self._lock:
            return Counter(self._total), len(self._newest), frozenset(self._failing)


def shortest_interval(config: Config) -> float:
    """Seconds; a minute where there is nobody to poll."""
    return min((host.poll.interval for host in config.hosts), default=60.0)


def _window_ms(config: Config) -> int:
    """Two of the shortest intervals, and the time that the slowest answer may take."""
    longest = max((host.poll.deadline for host in config.hosts), default=0.0)
    return round(1000 * (2 * shortest_interval(config) + longest))


def _late(before: Poll | None, poll: Poll, apart: float, interval: float) -> float | None:
    """Seconds after its time. None where the one before brought nothing: such hosts are asked less often.

    `apart`: seconds between the ends of both, by a clock that nobody sets: a wall clock that was set forward makes no
    poll late.
    """
    if before is None or before.outcome not in _GAVE:
        return None
    return max(0.0, min((poll.at_ms - before.at_ms) / 1000, apart) - interval)


def _percentile(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(_SHARE * len(ordered)))] if ordered else 0.0

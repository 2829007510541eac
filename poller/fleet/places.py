"""How many hosts are polled at the same time, and since when each of them."""

from __future__ import annotations

import math
import threading
import time
from typing import Final

# Seconds beyond a host's deadline before its thread is given up, and for one that waits for another poller before.
GRACE: Final = 2.0
# Whoever is to be given up and was not for so long: nobody ran who could have (SIGSTOP, a machine that was suspended).
LATE: Final = 5.0


class Places:
    """Thread-safe. Who has a place is known by an object of its own; who was given up has none any more.

    Who may keep it for a whole deadline, because nothing answers there, is `doubtful`. Those take one only where half
    of all stay free, so that others never wait for them; but one of them has one however busy the others are.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._kept = (count + 1) // 2  # of which the doubtful take none
        self._lock = threading.Lock()
        # Two lines, so that a place that gets free wakes one who may have it, out of some thousands.
        self._line, self._doubtful_line = threading.Condition(self._lock), threading.Condition(self._lock)
        self._doubtful: set[object] = set()
        self._ends: dict[object, float] = {}
        self._closed = False

    def enter(self, who: object, deadline: float, *, doubtful: bool = False) -> bool:
        """Waits for a place; False when there are none any more. It is given up so long after `deadline` seconds."""
        line = self._doubtful_line if doubtful else self._line
        with self._lock:
            line.wait_for(lambda: self._closed or (self._room_for_doubt if doubtful else self._free > 0))
            if self._closed:
                return False
            self._free -= 1
            self._ends[who] = time.monotonic() + deadline + GRACE
            if doubtful:
                self._doubtful.add(who)
            return True

    @property
    def _room_for_doubt(self) -> bool:
        return self._free > self._kept or (self._free > 0 and not self._doubtful)

    def leave(self, who: object) -> bool:
        """False when it was given up meanwhile."""
        with self._lock:
            return self._remove(who)

    def _remove(self, who: object) -> bool:
        if self._ends.pop(who, None) is None:
            return False
        self._free += 1
        self._doubtful.discard(who)
        self._line.notify()
        if self._room_for_doubt:
            self._doubtful_line.notify()
        return True

    def overdue(self) -> list[object]:
        """Gives up all who are, and says which. After the whole process stood still they get another moment first."""
        now = time.monotonic()
        with self._lock:
            self._ends = {who: now + GRACE if now - ends > LATE else ends for who, ends in self._ends.items()}
            late = [who for who, ends in self._ends.items() if ends <= now]
            for who in late:
                self._remove(who)
            return late

    @property
    def next_overdue(self) -> float:
        """The instant at which somebody may be."""
        with self._lock:
            return min(self._ends.values(), default=math.inf)

    @property
    def busy(self) -> int:
        return len(self._ends)

    def close(self) -> None:
        """Nobody gets a place any more; those who have one keep it."""
        with self._lock:
            self._closed = True
            self._line.notify_all()
            self._doubtful_line.notify_all()

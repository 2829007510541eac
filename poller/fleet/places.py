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
    """Thread-safe. Who has a place is known by an object of its own; who was given up has none any more."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition()
        self._ends: dict[object, float] = {}
        self._closed = False

    def enter(self, who: object, deadline: float) -> bool:
        """Waits for a place; False when there are none any more. It is given up so long after `deadline` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._free > 0 or self._closed)
            if self._closed:
                return False
            self._free -= 1
            self._ends[who] = time.monotonic() + deadline + GRACE
            return True

    def leave(self, who: object) -> bool:
        """False when it was given up meanwhile."""
        with self._changed:
            return self._remove(who)

    def _remove(self, who: object) -> bool:
        if self._ends.pop(who, None) is None:
            return False
        self._free += 1
        self._changed.notify()
        return True

    def overdue(self) -> list[object]:
        """Gives up all who are, and says which. After the whole process stood still they get another moment first."""
        now = time.monotonic()
        with self._changed:
            self._ends = {who: now + GRACE if now - ends > LATE else ends for who, ends in self._ends.items()}
            late = [who for who, ends in self._ends.items() if ends <= now]
            for who in late:
                self._remove(who)
            return late

    @property
    def next_overdue(self) -> float:
        """The instant at which somebody may be."""
        with self._changed:
            return min(self._ends.values(), default=math.inf)

    @property
    def busy(self) -> int:
        return len(self._ends)

    def close(self) -> None:
        """Nobody gets a place any more; those who have one keep it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

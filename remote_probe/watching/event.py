"""What is to be told and was not yet: at most so much in a frame, and so many frames a second."""

import time

from remote_probe import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional

    from remote_probe.collect import Reading
    from remote_probe.host import Row, Value

MOST = 50  # hints, and encounters, in one frame: some 8 KB each; what is more is counted
BEAT = 1.0  # seconds between signs of life
BURST, PER_SECOND = 10.0, 10.0  # frames


class Teller:
    """Collects, and writes frames. `out` takes the XML of one; the sequence of a frame is its number."""

    def __init__(
        self, name: str, out: "Callable[[bytes], None]", clock: "Callable[[], float]" = time.monotonic
    ) -> None:
        self._name, self._out, self._clock = name, out, clock
        self._rows: "Dict[str, List[Row]]" = {"hint": [], "encounter": []}
        self._frames = 0
        self._room, self._filled_at = BURST, clock()
        self.coverage = {"devices": "none", "mounts": "none", "contacts": "none"}
        self.why = ""
        self.lost = 0
        self.beats_at = self._filled_at

    def add(self, element: str, rows: "List[Dict[str, Value]]") -> None:
        """`hint` or `encounter`."""
        waiting = self._rows[element]
        room = MOST - len(waiting)
        waiting += [(element, row) for row in rows[:room]]
        self.lost += max(0, len(rows) - room)

    def due(self, now: float) -> float:
        """When the next frame may go: now for what waits, else with the next beat."""
        return self.free(now) if any(self._rows.values()) else self.beats_at

    def free(self, now: float) -> float:
        """When there is room for one more frame."""
        return now + max(0.0, 1.0 - self._fill(now)) / PER_SECOND

    def tell(self, reading: "Optional[Reading]" = None) -> None:
        """Sends all that waits, and the sections that were read anew."""
        now = self._clock()
        self._room = max(0.0, self._fill(now) - 1.0)
        self._frames += 1
        head: "Dict[str, Value]" = {"host": self._name, "sequence": self._frames, "lost": self.lost}
        head.update(self.coverage)
        if self.why:
            head["why"] = self.why
        rows = self._rows["hint"] + self._rows["encounter"]
        self._rows = {"hint": [], "encounter": []}
        self.lost = 0
        self.beats_at = now + BEAT
        self._out(render.event(head, rows, reading))

    def _fill(self, now: float) -> float:
        """How many frames may go."""
        self._room = min(BURST, self._room + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        return self._room

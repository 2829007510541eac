"""How much a host may send unasked: what pushed frames never reach, and a flood does within a moment."""

from __future__ import annotations

import time
from typing import Final

from poller.errors import HostError

# Bytes at once, and bytes per second that grow back. A watch pushes a few KiB with each event.
MOST: Final = 4 * 1024 * 1024
PER_SECOND: Final = 256 * 1024


class Allowance:
    """A bucket of `most` bytes that fills up again by `per_second`, whoever asks or does not."""

    __slots__ = ("_at", "_left", "_most", "_per_second")

    def __init__(self, most: int = MOST, per_second: int = PER_SECOND) -> None:
        self._most = float(most)
        self._per_second = per_second
        self._left = self._most
        self._at = 0.0

    def spend(self, count: int) -> None:
        """HostError probe/noise when there is no more of it."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second) - count
        self._at = now
        if self._left < 0:
            raise HostError("probe", "noise", f"it pushes more than {self._per_second} bytes per second")

"""Wakes a thread that waits for sockets (eventfd(2))."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


class Bell:
    """Thread-safe. Rung after its end it does nothing: the number of its file may be another's by then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._file

    def ring(self) -> None:
        with self._lock, suppress(BlockingIOError):
            if self._file >= 0:
                os.eventfd_write(self._file, 1)

    def silence(self) -> None:
        """It may be rung anew."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._file)

    def close(self) -> None:
        with self._lock:
            os.close(self._file)
            self._file = -1

"""An event that poll(2) can wait for, beside a connection: eventfd(2)."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress


class Bell:
    """Rung by any thread, heard by one. Has the methods of an Event that paramiko's BufferedPipe calls."""

    __slots__ = ("_lock", "fd")

    def __init__(self) -> None:
        """OSError when there are no more files."""
        self._lock = threading.Lock()
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self.fd

    def set(self) -> None:
        """Does nothing after `close`: the number may be that of another file by then."""
        with self._lock:
            if self.fd >= 0:
                os.eventfd_write(self.fd, 1)

    def clear(self) -> None:
        with self._lock, suppress(BlockingIOError):
            if self.fd >= 0:
                os.eventfd_read(self.fd)

    def close(self) -> None:
        with self._lock:
            if self.fd >= 0:
                os.close(self.fd)
                self.fd = -1

    def wait(self, seconds: float) -> None:
        """Until it is rung, at most so long (inf: for ever). It stays rung."""
        poll = select.poll()  # select.select cannot watch descriptors above 1023
        poll.register(self.fd, select.POLLIN)
        poll.poll(None if seconds == float("inf") else max(0.0, seconds) * 1000)

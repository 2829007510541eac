"""How many logins may go on at once at one target, so that sshd's MaxStartups is not reached (paramiko #664)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from poller.errors import HostError
from poller.model import Deadline


class Gates:
    """Thread-safe. A gate is held from the connection to the end of the login, not while the probe works."""

    def __init__(self, per_target: int = 5) -> None:
        self._per_target = per_target
        self._lock = threading.Lock()
        self._gates: dict[tuple[str, int], threading.Semaphore] = {}

    @contextmanager
    def enter(self, address: str, port: int, deadline: Deadline) -> Iterator[None]:
        """Waits for a place at (address, port). HostError connect/timeout when none is free in time."""
        gate = self._gate(address, port)
        if not gate.acquire(timeout=deadline.remaining):
            raise HostError(
                "connect", "timeout", f"{self._per_target} logins at {address} port {port} are not done yet"
            )
        try:
            yield
        finally:
            gate.release()

    def _gate(self, address: str, port: int) -> threading.Semaphore:
        with self._lock:
            return self._gates.setdefault((address, port), threading.Semaphore(self._per_target))

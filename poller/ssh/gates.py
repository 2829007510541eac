"""How much may go on at once at one place: logins at a target, connections through a gateway.

The first keeps clear of sshd's MaxStartups (paramiko #664), the second spares the jump host.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from poller.errors import HostError
from poller.model import Deadline


class Gates:
    """Thread-safe. The limit of a gateway is wide: hosts behind it that hang keep their places to their deadline."""

    def __init__(self, per_target: int = 5, per_gateway: int = 50, *, processes: int = 1) -> None:
        """Where `processes` share the hosts, each has its share of both limits, at least one."""
        self._per_target = max(1, per_target // processes)
        self._per_gateway = max(1, per_gateway // processes)
        self._lock = threading.Lock()
        self._gates: dict[tuple[str, str, int], threading.Semaphore] = {}

    @contextmanager
    def enter(self, addresses: Collection[str], port: int, deadline: Deadline) -> Iterator[None]:
        """A login, from the connection to its end; not while the probe works. HostError connect/timeout.

        `addresses` are those that may be connected to: so the names of one machine share its places. All take theirs
        in the same order, so that no two logins wait for each other.
        """
        with ExitStack() as places:
            for address in sorted(set(addresses)):
                busy = f"{self._per_target} logins at {address} port {port} are not done yet"
                places.enter_context(self._held(("login", address, port), self._per_target, deadline, busy))
            yield

    @contextmanager
    def through(self, address: str, port: int, deadline: Deadline) -> Iterator[None]:
        """A whole poll of a host behind the gateway at (address, port). HostError connect/timeout."""
        busy = f"{self._per_gateway} connections through {address} port {port} are not done yet"
        with self._held(("through", address, port), self._per_gateway, deadline, busy):
            yield

    @contextmanager
    def _held(self, key: tuple[str, str, int], places: int, deadline: Deadline, busy: str) -> Iterator[None]:
        with self._lock:
            gate = self._gates.setdefault(key, threading.Semaphore(places))
        if not gate.acquire(timeout=deadline.remaining):
            raise HostError("connect", "timeout", busy)
        try:
            yield
        finally:
            gate.release()

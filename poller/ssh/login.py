"""One SSH connection, from the name to the login: dial, handshake, host key, authentication, and trying again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import paramiko

from poller.errors import HostError
from poller.model import Deadline, Stopwatch
from poller.ssh import address, auth, hostkeys
from poller.ssh.faults import translated
from poller.ssh.gates import Gates
from poller.ssh.hostkeys import Expectation
from poller.ssh.knownhosts import HostKey
from poller.ssh.resolve import Route
from poller.ssh.transport import PollTransport
from poller.ssh.wire import SESSION_ALLOWANCE, SocketWire, Wire

_TRIES: Final = 3
# As often when sshd itself says that it has too many logins going on: it goes by, mostly within the second.
_TRIES_BUSY: Final = 8
_BUSY: Final = "Exceeded MaxStartups"
_BACK_OFF: Final = 0.25
_BACK_OFF_MOST: Final = 2.0
# Faults of a busy sshd (MaxStartups), before anything of the login was sent: worth another try (paramiko #664).
_PASSING: Final = frozenset({("connect", "reset"), ("handshake", "closed")})
# sshd says so while it punishes our address (PerSourcePenalties, OpenSSH 9.8): another try makes it worse.
_PUNISHED: Final = "Not allowed at this time"

Dial = Callable[[Route, Deadline, Stopwatch], tuple[Wire, str]]


@dataclass(slots=True)
class Connection:
    """A connection that is logged in, or only verified (see `handshake`). `address` is the one that answered."""

    transport: PollTransport
    wire: Wire
    address: str
    key: HostKey | None = None
    behind: ExitStack | None = None

    def close(self) -> None:
        """Ends it at once, without a word to the host: what it does not hear cannot hang (paramiko #2534, #949)."""
        self.wire.close()
        self.transport.close()
        if self.behind is not None:
            self.behind.close()


def dial_directly(last_good: str | None = None) -> Dial:
    """Connects by TCP from this machine."""

    def dial(route: Route, deadline: Deadline, stopwatch: Stopwatch) -> tuple[Wire, str]:
        with stopwatch.measure("dns"):
            addresses = address.resolve(route.hostname, deadline, last_good)
        with stopwatch.measure("connect"):
            connected, where = address.dial(addresses, route.port, _shorter(deadline, route.connect_timeout))
            return SocketWire(connected), where

    return dial


def _shorter(deadline: Deadline, seconds: float | None) -> Deadline:
    return deadline if seconds is None or seconds >= deadline.remaining else Deadline(seconds)


def log_in(route: Route, dial: Dial, deadline: Deadline, stopwatch: Stopwatch, gates: Gates | None) -> Connection:
    """A connection that is logged in at a verified host. HostError; by the deadline."""
    for attempt in range(1, _TRIES_BUSY + 1):
        try:
            with _gate(gates, route, deadline, stopwatch):
                return _log_in(route, dial, deadline, stopwatch)
        except HostError as error:
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            pause = min(_BACK_OFF * 3 ** (attempt - 1), _BACK_OFF_MOST) * jitter
            most = _TRIES_BUSY if _BUSY in error.detail else _TRIES
            passing = (error.stage, error.code) in _PASSING and _PUNISHED not in error.detail
            if not passing or attempt >= most or deadline.remaining < 2 * pause:
                raise
            threading.Event().wait(pause)
    raise AssertionError("unreachable")


@contextmanager
def _gate(gates: Gates | None, route: Route, deadline: Deadline, stopwatch: Stopwatch) -> Iterator[None]:
    if gates is None:
        yield
        return
    with gates.enter(route.hostname, route.port, deadline):
        yield


def _log_in(route: Route, dial: Dial, deadline: Deadline, stopwatch: Stopwatch) -> Connection:
    with stopwatch.measure("hostkey"):
        expectation = hostkeys.expect(route)
    connection = handshake(route, dial, deadline, stopwatch, expectation.algorithms, expectation)
    try:
        with stopwatch.measure("hostkey"), translated("handshake", connection.wire):
            connection.key = hostkeys.verify(connection.transport, expectation, route)
        with stopwatch.measure("auth"):
            connection.wire.allow(SESSION_ALLOWANCE)
            connection.transport.auth_timeout = deadline.remaining + 1
            auth.log_in(connection.transport, connection.wire, route, deadline)
    except BaseException:
        connection.close()
        raise
    return connection


def handshake(
    route: Route,
    dial: Dial,
    deadline: Deadline,
    stopwatch: Stopwatch,
    algorithms: tuple[str, ...],
    expectation: Expectation | None = None,
) -> Connection:
    """Key exchange done, nothing sent yet that is ours: neither user name nor key. The caller verifies the host key."""
    wire, where = dial(route, deadline, stopwatch)
    wire.until(deadline)
    transport = PollTransport(wire, algorithms)
    # The watchdog ends it at the deadline; paramiko's own timers only must not be shorter (paramiko #1787).
    transport.banner_timeout = transport.handshake_timeout = deadline.remaining + 1
    connection = Connection(transport, wire, where)
    try:
        with stopwatch.measure("handshake"), translated("handshake", wire):
            try:
                transport.start_client()
            except paramiko.ssh_exception.IncompatiblePeer:
                unknown = expectation and hostkeys.no_common_algorithm(expectation, transport.server_host_keys)
                if unknown:
                    raise unknown from None
                raise
    except BaseException:
        connection.close()
        raise
    return connection

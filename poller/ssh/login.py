"""One SSH connection, from the name to the login: dial, handshake, host key, authentication, and trying again."""

from __future__ import annotations

import random
import threading
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

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


class Dial(Protocol):
    """How to get a wire to a host. In two steps, because between them one may have to wait for one's turn there."""

    def find(self, route: Route, deadline: Deadline, stopwatch: Stopwatch) -> tuple[str, ...]:
        """The addresses that `connect` will try, in this order."""

    def connect(
        self, route: Route, addresses: tuple[str, ...], deadline: Deadline, stopwatch: Stopwatch
    ) -> tuple[Wire, str]:
        """A wire, and the address that answered."""


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


@dataclass(frozen=True, slots=True)
class DirectDial:
    """By TCP from this machine."""

    last_good: str | None = None

    def find(self, route: Route, deadline: Deadline, stopwatch: Stopwatch) -> tuple[str, ...]:
        with stopwatch.measure("dns"):
            return address.resolve(route.hostname, deadline, self.last_good)

    def connect(
        self, route: Route, addresses: tuple[str, ...], deadline: Deadline, stopwatch: Stopwatch
    ) -> tuple[Wire, str]:
        with stopwatch.measure("connect"):
            connected, where = address.dial(addresses, route.port, _shorter(deadline, route.connect_timeout))
            return SocketWire(connected), where


def _shorter(deadline: Deadline, seconds: float | None) -> Deadline:
    return deadline if seconds is None or seconds >= deadline.remaining else Deadline(seconds)


def log_in(route: Route, dial: Dial, deadline: Deadline, stopwatch: Stopwatch, gates: Gates | None) -> Connection:
    """A connection that is logged in at a verified host. HostError; by the deadline."""
    addresses = dial.find(route, deadline, stopwatch)
    for attempt in range(1, _TRIES_BUSY + 1):
        try:
            with gates.enter(addresses, route.port, deadline) if gates else nullcontext():
                return _log_in(route, dial, addresses, deadline, stopwatch)
        except HostError as error:
            error.addresses = () if route.jumps else addresses
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            pause = min(_BACK_OFF * 3 ** (attempt - 1), _BACK_OFF_MOST) * jitter
            most = _TRIES_BUSY if _BUSY in error.detail else _TRIES
            passing = (error.stage, error.code) in _PASSING and _PUNISHED not in error.detail
            if not passing or attempt >= most or deadline.remaining < 2 * pause:
                raise
            threading.Event().wait(pause)
    raise AssertionError("unreachable")


def _log_in(
    route: Route, dial: Dial, addresses: tuple[str, ...], deadline: Deadline, stopwatch: Stopwatch
) -> Connection:
    with stopwatch.measure("hostkey"):
        expectation = hostkeys.expect(route)
    connection = handshake(route, dial, addresses, deadline, stopwatch, expectation.algorithms, expectation)
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
    addresses: tuple[str, ...],
    deadline: Deadline,
    stopwatch: Stopwatch,
    algorithms: tuple[str, ...],
    expectation: Expectation | None = None,
) -> Connection:
    """Key exchange done, nothing sent yet that is ours: neither user name nor key. The caller verifies the host key."""
    wire, where = dial.connect(route, addresses, deadline, stopwatch)
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

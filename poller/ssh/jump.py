"""Jump hosts: everybody who goes through one shares one connection to it, which ends with its last user."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import paramiko

from poller.errors import HostError
from poller.model import Deadline, Stopwatch
from poller.ssh import apart
from poller.ssh.gates import Gates
from poller.ssh.login import Connection, Dial, DirectDial, log_in
from poller.ssh.resolve import Route
from poller.ssh.wire import SESSION_ALLOWANCE, ChannelWire, Wire


class _Shared:
    """A connection to a jump host, from its first user, who logs in, to its last."""

    def __init__(self) -> None:
        self.users = 0
        self.settled = threading.Event()
        self.connection: Connection | None = None
        self.failure: HostError | None = None


_LOCK: Final = threading.Lock()
_OPEN: Final[dict[tuple[Route, ...], _Shared]] = {}


@contextmanager
def through(jumps: tuple[Route, ...], last_good: str | None, deadline: Deadline, gates: Gates | None) -> Iterator[Dial]:
    """How to reach what is behind `jumps` (none: directly). HostError connect/jump says what is wrong with which."""
    if not jumps:
        yield DirectDial(last_good)
        return
    with _joined(jumps, deadline, gates) as connection:
        yield _DialBehind(connection, jumps[-1])


@contextmanager
def _joined(jumps: tuple[Route, ...], deadline: Deadline, gates: Gates | None) -> Iterator[Connection]:
    with _LOCK:
        shared = _OPEN.get(jumps)
        first = shared is None or (shared.settled.is_set() and not _alive(shared))
        if shared is None or first:
            shared = _OPEN[jumps] = _Shared()
        shared.users += 1
    try:
        if first:
            _settle(shared, jumps, deadline, gates)
        yield _connection(shared, jumps, deadline)
    finally:
        _leave(shared, jumps)


def _alive(shared: _Shared) -> bool:
    return shared.connection is not None and shared.connection.transport.is_active()


def _settle(shared: _Shared, jumps: tuple[Route, ...], deadline: Deadline, gates: Gates | None) -> None:
    """Logs in at the last of `jumps`, through those before it. When that fails, it fails for all who wait."""
    try:
        with ExitStack() as stack:
            dial = stack.enter_context(through(jumps[:-1], None, deadline, gates))
            connection = log_in(jumps[-1], dial, deadline, Stopwatch(), gates)
            # From here on its users have deadlines, not it; TCP itself notices when it dies (address.py).
            connection.wire.until(None)
            connection.wire.allow(SESSION_ALLOWANCE)
            connection.behind = stack.pop_all()
            connection.transport.serve()
            shared.connection = connection
    except HostError as error:
        shared.failure = error
    finally:
        if shared.connection is None and shared.failure is None:
            shared.failure = HostError("connect", "jump", "interrupted")
        shared.settled.set()


def _connection(shared: _Shared, jumps: tuple[Route, ...], deadline: Deadline) -> Connection:
    name = jumps[-1].where
    if not shared.settled.wait(deadline.remaining):
        raise HostError("connect", "jump", f"{name} is not reached in time")
    if shared.failure is not None:
        error = shared.failure
        inner = error.detail if error.code == "jump" else f"{name}: {error.stage}/{error.code}: {error.sentence}"
        raised = HostError("connect", "jump", inner)
        raised.security = error.security  # another key there is no less grave than one of the host
        raise raised
    assert shared.connection is not None  # noqa: S101 - settled without a failure
    return shared.connection


def _leave(shared: _Shared, jumps: tuple[Route, ...]) -> None:
    with _LOCK:
        shared.users -= 1
        last = shared.users == 0
        if last and _OPEN.get(jumps) is shared:
            del _OPEN[jumps]
    if last and shared.connection is not None:
        shared.connection.close()


@dataclass(frozen=True, slots=True)
class _DialBehind:
    """By a direct-tcpip channel (RFC 4254 7.2). The jump host resolves the name, so that is the address for us."""

    connection: Connection
    jump: Route

    def find(self, route: Route, deadline: Deadline, stopwatch: Stopwatch) -> tuple[str, ...]:
        return (route.hostname,)

    def connect(
        self, route: Route, addresses: tuple[str, ...], deadline: Deadline, stopwatch: Stopwatch
    ) -> tuple[Wire, str]:
        with stopwatch.measure("connect"):
            seconds = min(deadline.remaining, route.connect_timeout or math.inf)
            try:
                # Apart, because paramiko measures this time-out with the wall clock (paramiko's transport.py).
                channel = apart.call(
                    lambda: self.connection.transport.open_channel(
                        "direct-tcpip", (route.hostname, route.port), ("127.0.0.1", 0), timeout=seconds
                    ),
                    seconds,
                    late=paramiko.Channel.close,
                )
            except TimeoutError:
                raise HostError("connect", "timeout", f"{route.where} through {self.jump.where}") from None
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise _refusal(error, route, self.jump) from None
            return ChannelWire(channel, self.connection.wire), route.hostname


def _refusal(error: Exception, route: Route, jump: Route) -> HostError:
    """sshd tells "connect failed" (code 2) apart from "administratively prohibited" (code 1)."""
    if isinstance(error, paramiko.ChannelException) and error.code == 2:
        return HostError("connect", "unreachable", f"{jump.where} cannot connect to {route.where}")
    if isinstance(error, paramiko.ChannelException):
        return HostError("connect", "jump", f"{jump.where} does not forward connections: {error.text}")
    if str(error).startswith("Timeout"):
        return HostError("connect", "timeout", f"{route.where} through {jump.where}")
    return HostError("connect", "jump", f"the connection to {jump.where} broke")

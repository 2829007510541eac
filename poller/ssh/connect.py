"""The way in: a session at one host, by its deadline, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from poller.clock import now_ms
from poller.model import Before, Deadline, Host, Stopwatch
from poller.ssh import address, local
from poller.ssh.faults import translated
from poller.ssh.gates import Gates
from poller.ssh.jump import through
from poller.ssh.login import Connection, log_in
from poller.ssh.resolve import Route, hostname, resolve
from poller.ssh.session import Session, Start
from poller.ssh.talk import ChannelTalk, Talk
from poller.ssh.wire import SESSION_ALLOWANCE

_NOTHING: Final = Before()


@contextmanager
def connect(
    host: Host,
    *,
    command: str,
    deadline: Deadline,
    stopwatch: Stopwatch,
    before: Before = _NOTHING,
    gates: Gates | None = None,
    held: bool = False,
    dial: float | None = None,
) -> Iterator[Session]:
    """Logs in at `host`, whose key must be known, and yields the session; `command` starts with its first `ask`.

    A session that is `held` for long keeps no place at the gateway once it is logged in. `dial`: no more than so many
    seconds until it answers at all (None: as ssh_config says, or until the deadline).

    HostError says at which stage it ended. Whatever the host does, this ends by `deadline` (and the `ask` in it by its
    own). `before.address` is tried when the resolver does not answer; sudo that was refused lately is left out.
    """
    denied = before.sudo_denied(now_ms())
    if host.local:
        session = Session(local.start, command, stopwatch, host_key="local", address="local", sudo_denied=denied)
        try:
            yield session
        finally:
            session.close()
        return
    route = _hurried(resolve(host), dial)
    with logged_in(route, deadline, stopwatch, before.address, gates, held=held) as connection:
        yield session_on(connection, command, stopwatch, sudo_denied=denied)


def _hurried(route: Route, dial: float | None) -> Route:
    if dial is None or (route.connect_timeout is not None and route.connect_timeout <= dial):
        return route
    return replace(route, connect_timeout=dial)


def session_on(connection: Connection, command: str, stopwatch: Stopwatch, *, sudo_denied: bool = False) -> Session:
    """A session over a connection that is logged in."""
    assert connection.key is not None  # noqa: S101 - log_in verifies it
    return Session(
        _starter(connection),
        command,
        stopwatch,
        host_key=connection.key.fingerprint,
        address=connection.address,
        sudo_denied=sudo_denied,
    )


@contextmanager
def logged_in(
    route: Route,
    deadline: Deadline,
    stopwatch: Stopwatch,
    last_good: str | None = None,
    gates: Gates | None = None,
    *,
    held: bool = False,
) -> Iterator[Connection]:
    """A connection that is logged in at a verified host, through its jump hosts; closed at the end of the block."""
    gateway = route.jumps[-1] if route.jumps else None
    place = ExitStack()
    if gates and gateway:
        place.enter_context(gates.through(gateway.hostname, gateway.port, deadline))
    with place, through(route.jumps, last_good, deadline, gates) as dial:
        connection = log_in(route, dial, deadline, stopwatch, gates)
        if held:
            place.close()
        try:
            yield connection
        finally:
            connection.close()


def addresses(host: Host, deadline: Deadline, stopwatch: Stopwatch, last_good: str | None = None) -> tuple[str, ...]:
    """Where a host is at which nobody logs in, in the resolver's order. HostError dns/unknown or dns/timeout."""
    with stopwatch.measure("dns"):
        return address.resolve(hostname(host), deadline, last_good)


def _starter(connection: Connection) -> Start:
    """Opens a channel for a command. Nothing has been sent on it yet when the host refuses or breaks."""

    def start(command: str, deadline: Deadline) -> Talk:
        connection.wire.until(deadline)
        connection.wire.allow(SESSION_ALLOWANCE)
        with translated("session", connection.wire):
            return ChannelTalk(connection, command, deadline.remaining + 1)

    return start

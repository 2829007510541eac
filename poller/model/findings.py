"""What a report tells beside numbers: events, talks, log lines. Made by `poller.findings`, kept by the store."""

from __future__ import annotations

from dataclasses import dataclass

from poller.model.poll import Event
from poller.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Talk:
    """All connections of a host with one peer on one port by one user, since the poll before.

    `port` is the local one for `inbound`, else the peer's: the port of the service. `scope` is local, internet or
    loopback; `listed` whether `<network-allow>` has it. `sent` and `received` bytes, None where only the connections
    are known; `seconds` that they took, for rates. `connections` are open now, `opened` of them since the poll before.
    """

    protocol: str
    inbound: bool
    peer: str
    port: int
    uid: int
    scope: str
    listed: bool
    sent: int | None
    received: int | None
    seconds: float
    connections: int
    opened: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection with the bytes it has moved since it began (None unknown): a session, kept until it is gone."""

    protocol: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    inbound: bool
    uid: int
    process: str
    state: str
    sent: int | None
    received: int | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, understood. `at_ms` is its own time (that of the poll when it has none), `priority` 0-7 or None.

    `count`: so many times ("message repeated 3 times"). `trusted`: program and pid were added by journald itself.
    """

    log: str
    path: str
    at_ms: int
    program: str
    pid: int | None
    priority: int | None
    severity: Severity
    count: int
    trusted: bool
    text: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A USB device that came and went between two polls, as the kernel's log tells. Instants by the centre's clock."""

    port: str
    vendor: str
    product: str
    vendor_name: str
    product_name: str
    serial: str
    attached_ms: int
    removed_ms: int


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one poll. `processes` are (pid, name, uid, user, CPU percent or None, bytes, command), busiest first."""

    events: tuple[Event, ...] = ()
    talks: tuple[Talk, ...] = ()
    connections: tuple[Connection, ...] = ()
    lines: tuple[LogLine, ...] = ()
    briefs: tuple[Brief, ...] = ()
    processes: tuple[tuple[int, str, int, str, float | None, int, str], ...] = ()

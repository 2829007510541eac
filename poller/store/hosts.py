"""The rows of `host`: ids by name, what the newest report says of the machine, and events that this gives."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from uuid6 import uuid7

from poller.model import POLLER, Event, Poll, Reading, Report, Severity, System
from poller.store.pending import Pending
from poller.store.sql import statements

_REPORT: Final = ("python", "probe", "address", "host_key")
_COLUMNS: Final = (
    "hostname", "kernel", "kernel_release", "machine", "distribution", "distribution_version", "distribution_name",
    "cpus", *_REPORT,
)  # fmt: skip
# The fields of System that fill the first columns.
_SYSTEM: Final = attrgetter(
    "hostname", "kernel", "release", "machine", "distribution", "distribution_version", "distribution_name", "cpus"
)


@dataclass(frozen=True, slots=True)
class KnownHost:
    """`described` are the values of _COLUMNS as they stand in the database."""

    id: int
    boot_id: str | None
    described: tuple[Any, ...]


class Hosts:
    """Knows the hosts it met; `forget` after a rollback or when another process has written."""

    def __init__(self, connection: sqlite3.Connection, pending: Pending | None = None) -> None:
        self._connection = connection
        self._pending = pending or Pending(connection)
        self._known: dict[str, KnownHost] = {}

    def forget(self) -> None:
        self._known.clear()

    def forget_host(self, name: str) -> None:
        self._known.pop(name, None)

    def find(self, name: str, now_ms: int) -> KnownHost:
        """The host of that name; one never met before is added, which is an event."""
        host = self._known.get(name)
        if host is None:
            host = self._known[name] = self._load(name) or self._add(name, now_ms)
        return host

    def _load(self, name: str) -> KnownHost | None:
        row = self._connection.execute(statements()["find_host"], {"name": name}).fetchone()
        return KnownHost(row[0], row[1], row[2:]) if row else None

    def _add(self, name: str, now_ms: int) -> KnownHost:
        cursor = self._connection.execute(statements()["add_host"], {"name": name, "now_ms": now_ms})
        assert cursor.lastrowid is not None  # noqa: S101 - an INSERT always sets it
        if name != POLLER:
            self.store_event(
                cursor.lastrowid, Event("first_seen", now_ms, Severity.LOW, "the host was polled for the first time")
            )
        return KnownHost(cursor.lastrowid, None, (None,) * len(_COLUMNS))

    def describe(self, host: KnownHost, poll: Poll, report: Report) -> None:
        """Brings the host up to date with a report. A new boot id is the event `rebooted`."""
        now = report.now
        system = next(iter(now.rows(System)), None)
        machine = host.described[: -len(_REPORT)] if system is None else _SYSTEM(system)
        described = (*machine, report.python, report.probe, poll.address, poll.host_key)
        if described == host.described and now.boot_id == host.boot_id:
            self._pending.add(statements()["touch_host"], [{"id": host.id, "now_ms": poll.at_ms}])
            return
        booted_ms = int(poll.at_ms - now.uptime * 1000)
        self._connection.execute(
            statements()["change_host"],
            dict(zip(_COLUMNS, described, strict=True))
            | {"id": host.id, "now_ms": poll.at_ms, "boot_id": now.boot_id, "booted_ms": booted_ms},
        )
        if host.boot_id and host.boot_id != now.boot_id:
            self.store_event(host.id, rebooted(poll.at_ms, now, host.boot_id))
        self._known[poll.host] = KnownHost(host.id, now.boot_id, described)

    def store_event(self, host_id: int | None, event: Event) -> None:
        self._connection.execute(
            statements()["add_event"],
            {
                "id": str(uuid7()),
                "host_id": host_id,
                "kind": event.kind,
                "at_ms": event.at_ms,
                "severity": str(event.severity),
                "details": storable(event.details),
            },
        )


def rebooted(at_ms: int, now: Reading, before: str) -> Event:
    """The event that a poll tells at that instant; `before` is the boot id that was known."""
    details = f"up for {now.uptime:.0f} s, boot id {now.boot_id}, before {before}"
    return Event("rebooted", at_ms, Severity.MEDIUM, details)


def storable(text: str) -> str:
    """Text from an exception may hold lone surrogates (undecodable bytes), which no database takes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")

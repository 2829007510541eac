"""The newest complete reading of a host as one compact JSON text, and back: what the next rates are made from."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from poller.model import (
    Address,
    Before,
    BlockDevice,
    CpuTimes,
    FileSystem,
    Interface,
    LoadAverage,
    Logins,
    Memory,
    Pressure,
    Processes,
    Reading,
    Row,
    Section,
    SectionStatus,
    System,
)
from poller.store.sql import statements

_log = logging.getLogger(__name__)

_KINDS: Final[tuple[type[Row], ...]] = (
    System, CpuTimes, Memory, LoadAverage, FileSystem, BlockDevice, Interface, Address, Processes, Pressure,
)  # fmt: skip
_BY_NAME: Final[dict[str, type[Row]]] = {kind.__name__: kind for kind in _KINDS}
_VALUES: Final[dict[type[Row], Callable[[Any], tuple[Any, ...]]]] = {
    kind: attrgetter(*(field.name for field in fields(kind))) for kind in _KINDS
}
_encoder: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_STATUS: Final = {str(status): status for status in SectionStatus}


def encode(reading: Reading) -> str:
    """`[clock, uptime, boot_id, [[section, status, reason, seconds, [[kind, field, ...], ...]], ...]]`."""
    return _encoder(
        [
            reading.clock,
            reading.uptime,
            reading.boot_id,
            [
                (
                    section.name,
                    section.status.value,
                    section.reason,
                    section.seconds,
                    [_row(row) for row in section.rows],
                )
                for section in reading.sections
            ],
        ]
    )


def _row(row: Row) -> tuple[Any, ...]:
    kind = type(row)
    return kind.__name__, *_VALUES[kind](row)


def decode(text: str | None) -> Reading | None:
    """None when there is none, or when another version of the poller wrote it: rates then start afresh."""
    if text is None:
        return None
    try:
        clock, uptime, boot_id, sections = json.loads(text)
        return Reading(clock, uptime, boot_id, tuple(_section(*section) for section in sections))
    except (ValueError, TypeError, KeyError) as error:
        _log.info("a stored reading is not usable: %r", error)
        return None


def _section(name: str, status: str, reason: str, seconds: float, rows: list[list[Any]]) -> Section:
    return Section(name, _STATUS[status], reason, seconds, tuple(_BY_NAME[kind](*values) for kind, *values in rows))


def stuck_mounts(reading: Reading) -> str | None:
    """JSON list of the mount points that did not respond; None when this reading cannot say."""
    if not any(section.name == "filesystem" and section.rows for section in reading.sections):
        return None
    stuck = [row.mountpoint for row in reading.rows(FileSystem) if isinstance(row, FileSystem) and row.state == "stuck"]
    return _encoder(stuck)


_MemoryRow = tuple[str | None, str | None, str | None, int, int | None, int | None, int | None]


class Recall:
    """Reads what is remembered of hosts. What `ahead` read is not decoded again when the poll comes back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ahead: dict[str, tuple[_MemoryRow | None, Before]] = {}

    def ahead(self, host: str) -> Before:
        """For the request, before the poll."""
        row = self._row(host)
        self._ahead[host] = row, _before(row)
        return self._ahead[host][1]

    def before(self, host: str) -> Before:
        """As it stands in the database now; the default for a host never polled."""
        row = self._row(host)
        known = self._ahead.pop(host, None)
        return known[1] if known and known[0] == row else _before(row)

    def _row(self, host: str) -> _MemoryRow | None:
        row: _MemoryRow | None = self._connection.execute(statements()["find_memory"], {"name": host}).fetchone()
        return row


def _before(row: _MemoryRow | None) -> Before:
    if row is None:
        return Before()
    reading, stuck, address, failures, sudo_denied_until_ms, refused, retry_at_ms = row
    return Before(
        reading=decode(reading),
        stuck=tuple(json.loads(stuck)) if stuck else (),
        address=address,
        failures=failures,
        sudo_denied_until_ms=sudo_denied_until_ms or 0,
        logins=Logins(refused or 0, retry_at_ms or 0),
    )

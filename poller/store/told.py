"""What a poll told beside numbers -> rows: events, log lines, processes, devices that came and went unseen."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from poller.model import Brief, LogLine
from poller.store.hosts import storable
from poller.store.pending import Pending
from poller.store.sql import statements

Process = tuple[int, str, int, str, "float | None", int, str]

# Texts of hosts may hold any number; a column holds no greater one.
_MOST: Final = (1 << 63) - 1


def _insert(table: str, columns: str) -> str:
    places = ", ".join("?" * len(columns.split()))
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns.split())}) VALUES ({places})"  # noqa: S608 - ours


_LINE: Final = _insert(
    "log_line",
    "host_id seen_ms number log path at_ms program pid priority severity repeats trusted message",
)
_PROCESS: Final = _insert("process_sample", "host_id at_ms pid name uid account cpu_percent memory_bytes command")


def store_lines(connection: sqlite3.Connection, host_id: int, at_ms: int, lines: Sequence[LogLine]) -> None:
    """In the order in which they came."""
    if not lines:
        return
    (last,) = connection.execute(statements()["newest_line"], {"host_id": host_id, "at_ms": at_ms}).fetchone()
    first = 0 if last is None else last + 1
    connection.executemany(
        _LINE,
        (
            (host_id, at_ms, number, line.log, line.path, _fitting(line.at_ms), storable(line.program),
             _fitting(line.pid), line.priority, str(line.severity), _fitting(line.count), line.trusted,
             storable(line.text))
            for number, line in enumerate(lines, first)
        ),
    )  # fmt: skip


def store_processes(pending: Pending, host_id: int, at_ms: int, processes: Sequence[Process]) -> None:
    if processes:
        pending.add(_PROCESS, [(host_id, at_ms, *process) for process in processes])


def store_briefs(connection: sqlite3.Connection, host_id: int, at_ms: int, briefs: Sequence[Brief]) -> None:
    if briefs:
        connection.executemany(statements()["add_brief"], [_brief(host_id, at_ms, brief) for brief in briefs])


def _brief(host_id: int, at_ms: int, brief: Brief) -> dict[str, Any]:
    return {
        "host_id": host_id,
        "at_ms": at_ms,
        "port": brief.port,
        "vendor": brief.vendor,
        "product": brief.product,
        "serial": brief.serial,
        "vendor_name": brief.vendor_name,
        "product_name": brief.product_name,
        "attached_ms": brief.attached_ms,
        "removed_ms": brief.removed_ms,
    }


def _fitting(number: int | None) -> int | None:
    return number if number is None else max(-_MOST, min(_MOST, number))

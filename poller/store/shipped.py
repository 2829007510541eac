"""What the journal need not keep because the archive has it: it goes after a day, however long history may be.

Stays: what still waits, what was refused, what nobody has copied yet, and the newest report of each host, which
`poller status` and `poller metrics` show.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

from poller.metrics import SAMPLE_TABLES
from poller.store.queue import UNCOPIED
from poller.store.sql import statements

KEPT_MS: Final = 86_400_000
IDS_AT_ONCE: Final = 64


def cut_ms(connection: sqlite3.Connection, now_ms: int, kept_ms: int = KEPT_MS) -> int | None:
    """Polls and samples before this instant are in the archive and old enough; None when none may go for that."""
    enabled = connection.execute(statements()["archive_state"]).fetchone()[0]
    if not enabled or connection.execute(statements()["last_done"], {"task": UNCOPIED}).fetchone():
        return None
    (oldest,) = connection.execute(statements()["oldest_outgoing_poll"]).fetchone()
    return now_ms - kept_ms if oldest is None else min(oldest, now_ms - kept_ms)


def deletions(connection: sqlite3.Connection, now_ms: int) -> Iterator[tuple[str, str, list[dict[str, int]]]]:
    """(table, statement, its parameters), each the work of one short transaction."""
    cut = cut_ms(connection, now_ms)
    if cut is None:
        return
    for table, inventory in _TABLES.items():
        rows = [
            {"id": number, "before_ms": cut if report_ms is None else min(cut, report_ms)}
            for number, report_ms in newest_reports(connection, inventory)
        ]
        for start in range(0, len(rows), IDS_AT_ONCE):
            yield table, statements()[f"shipped_{table}"], rows[start : start + IDS_AT_ONCE]
    for table in _PLAIN:
        yield table, statements()[f"shipped_{table}"], [{"before_ms": now_ms - KEPT_MS}]


_TABLES: Final[Mapping[str, str]] = {table: inventory for table, (_, inventory, _) in SAMPLE_TABLES.items()} | {
    "poll": "host"
}
_PLAIN: Final = ("round", "event", "alert")


def newest_reports(connection: sqlite3.Connection, inventory: str) -> list[tuple[int, int | None]]:
    """(id, instant of its host's newest report) of every thing of a kind."""
    owner = "id" if inventory == "host" else "host_id"
    return connection.execute(
        f"SELECT {inventory}.id, report_ms FROM {inventory}"  # noqa: S608 - names of ours
        f" LEFT JOIN host_latest ON host_latest.host_id = {inventory}.{owner}"
    ).fetchall()

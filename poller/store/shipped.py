"""What the journal need not keep because the archive has it: it goes after a day, however long history may be.

Stays: what still waits, what was refused, what nobody has copied yet, and the newest report of each host, which
`poller status` and `poller metrics` show.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from poller.store import aging
from poller.store.queue import UNCOPIED
from poller.store.slicing import ROWS_AT_ONCE, lots
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


def deletions(
    connection: sqlite3.Connection, now_ms: int, *, dry: bool = False
) -> Iterator[tuple[str, str, list[dict[str, int]]]]:
    """(table, statement, its parameters), each the work of one short transaction; `dry`: to be counted, not deleted."""
    cut = cut_ms(connection, now_ms)
    if cut is None:
        return
    for table, one in aging.ALL.items():
        if table in _HISTORIES:
            continue
        things = [
            (number, cut if report_ms is None else min(cut, report_ms))
            for number, report_ms in newest_reports(connection, one.inventory, cut)
        ]
        if dry:
            yield table, one.deletion(spared=True), [{"id": number, "before_ms": ms} for number, ms in things]
            continue
        for lot in lots(connection, one, things, ROWS_AT_ONCE):
            yield table, one.deletion(spared=True), lot
    for table in _PLAIN:
        yield table, statements()[f"shipped_{table}"], [{"before_ms": now_ms - KEPT_MS}]


_PLAIN: Final = ("round", "event", "alert")
# Small, and the journal shows what was there lately.
_HISTORIES: Final = frozenset(aging.EPISODES) - {"connection"}


def newest_reports(connection: sqlite3.Connection, inventory: str, before_ms: int) -> list[tuple[int, int | None]]:
    """(id, instant of its host's newest report) of every host, or of things of a kind that were there before then.

    Most peers and series are younger than what has to go.
    """
    owner = "id" if inventory == "host" else "host_id"
    there = "" if inventory == "host" else f" WHERE {inventory}.first_seen_ms < :before_ms"
    return connection.execute(
        f"SELECT {inventory}.id, report_ms FROM {inventory}"  # noqa: S608 - names of ours
        f" LEFT JOIN host_latest ON host_latest.host_id = {inventory}.{owner}"
        f"{there}",
        {"before_ms": before_ms},
    ).fetchall()

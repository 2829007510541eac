"""What the journal need not keep because the archive has it: it goes after a day, however long history may be.

Stays: what still waits, what was refused, what nobody has copied yet, and the newest report of each host, which
`poller status` and `poller metrics` show.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

from poller.store import aging, lost
from poller.store.queue import UNCOPIED
from poller.store.rollup_sql import FIVE_MS, ROLLED, floor
from poller.store.slicing import ROWS_AT_ONCE, lots, seen_before
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


def spare_waiting(
    connection: sqlite3.Connection, limits: Mapping[str, int], now_ms: int, *, tight: bool
) -> dict[str, int]:
    """The same limits, but what the archive rolls up stays, with what it takes to send it, while it waits.

    Of the rest of a poll nothing would stay there either. `tight`: it goes all the same, and the gap is on record.
    """
    (enabled, *_) = connection.execute(statements()["archive_state"]).fetchone()
    (oldest,) = connection.execute(statements()["oldest_outgoing_poll"]).fetchone()
    if not enabled or oldest is None:
        return dict(limits)
    if not tight:
        return {**limits, **{table: min(limits[table], oldest - late) for table, late in _SENT.items()}}
    # Not at every prune a little, each with an event of its own.
    raw_ms = floor(limits["system_sample"], FIVE_MS)
    if connection.execute(_WAITING, {"before_ms": raw_ms}).fetchone():
        lost.record(connection, 0, raw_ms, now_ms)
    return {**limits, **{table.raw: raw_ms for table in ROLLED}}


# Table -> so much longer than the polls themselves: things may have been seen a little later than they say.
_SENT: Final = {
    "poll": 0,
    **{table.raw: 0 for table in ROLLED},
    **{table.inventory: aging.DAY_MS for table in ROLLED if table.inventory != "host"},
}
# Whether any sample from before then waits.
_WAITING: Final = """
SELECT 1
  FROM outgoing
 CROSS JOIN poll
 CROSS JOIN system_sample
 WHERE outgoing.kind = 'poll'
   AND outgoing.at_ms < :before_ms
   AND poll.id = outgoing.item
   AND system_sample.host_id = poll.host_id
   AND system_sample.at_ms = poll.at_ms
 LIMIT 1
"""
_PLAIN: Final = ("round", "event", "alert")
# Small, and the journal shows what was there lately.
_HISTORIES: Final = frozenset(aging.EPISODES) - {"connection"}


def newest_reports(connection: sqlite3.Connection, inventory: str, before_ms: int) -> list[tuple[int, int | None]]:
    """(id, instant of its host's newest report) of every host, or of things of a kind that were there before then.

    Most peers and series are younger than what has to go.
    """
    owner = "id" if inventory == "host" else "host_id"
    there = "" if inventory == "host" else f" WHERE {seen_before(inventory)}"
    return connection.execute(
        f"SELECT {inventory}.id, report_ms FROM {inventory}"  # noqa: S608 - names of ours
        f" LEFT JOIN host_latest ON host_latest.host_id = {inventory}.{owner}"
        f"{there}",
        {"before_ms": before_ms},
    ).fetchall()

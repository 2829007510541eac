"""Up to where a prune may delete what is rolled up, and roll-ups themselves: history moves on to these first."""

from __future__ import annotations

import sqlite3
from typing import Final

from poller.model import Retention
from poller.store import aging, lost
from poller.store.rollup_bound import bounds, move_bounds, wanted
from poller.store.rollup_ledger import SqliteLedger
from poller.store.sql import statements

# Whether anything was polled between two instants: host by host, as the index has it.
_POLLED: Final = """
SELECT 1 FROM host WHERE EXISTS (SELECT 1 FROM poll WHERE host_id = host.id AND at_ms >= ? AND at_ms < ?) LIMIT 1
"""


def rolled_limits(
    connection: sqlite3.Connection, retention: Retention, now_ms: int, *, dry: bool, tight: bool
) -> dict[str, int]:
    """Table -> rows before this instant (ms) may go. `dry`: nothing moves. `tight`: also what is not rolled up yet.

    Where history lives elsewhere these are of roll-ups alone, and samples go as before. StoreError.
    """
    ledger = SqliteLedger(connection)
    if connection.execute(statements()["archive_state"]).fetchone()[0]:
        limits = wanted(retention, now_ms, bounds(ledger)).limits()
        return {table: limits[table] for table in aging.ROLLUPS}
    if dry:
        return wanted(retention, now_ms, bounds(ledger)).limits()
    before = bounds(ledger)
    found, made_ms = move_bounds(ledger, retention, now_ms, whatever=tight)
    since_ms = max(made_ms, before.raw_ms)
    if tight and connection.execute(_POLLED, (since_ms, found.raw_ms)).fetchone():
        lost.record(connection, made_ms, found.raw_ms, now_ms)
    return found.limits()

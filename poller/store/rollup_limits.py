"""Up to where a prune may delete what is rolled up, and roll-ups themselves: history moves on to these first."""

from __future__ import annotations

import sqlite3
from typing import Final

from poller.model import Retention
from poller.store import aging, lost
from poller.store.rollup_bound import bounds, move_bounds, wanted
from poller.store.rollup_ledger import SqliteLedger
from poller.store.sql import statements

# Whether anything between two instants is not rolled up: host by host, as the indexes have it.
_NOT_ROLLED_UP: Final = """
SELECT 1
  FROM host
  LEFT JOIN rolled_up ON rolled_up.host_id = host.id
 WHERE EXISTS (SELECT 1
                 FROM poll
                WHERE poll.host_id = host.id AND at_ms >= max(:from_ms, COALESCE(fives_ms, 0)) AND at_ms < :until_ms)
    OR EXISTS (SELECT 1
                 FROM late_window
                WHERE late_window.host_id = host.id AND at_ms >= :from_ms AND at_ms < :until_ms)
 LIMIT 1
"""


def rolled_limits(
    connection: sqlite3.Connection, retention: Retention, now_ms: int, *, dry: bool, tight: bool
) -> dict[str, int]:
    """Table -> rows before this instant (ms) may go. `dry`: nothing moves. `tight`: also what is not rolled up yet.

    Where history lives elsewhere these are of roll-ups alone. StoreError.
    """
    ledger = SqliteLedger(connection)
    if connection.execute(statements()["archive_state"]).fetchone()[0]:
        limits = wanted(retention, now_ms, bounds(ledger)).limits()
        return {table: limits[table] for table in aging.ROLLUPS}
    before = bounds(ledger)
    after = wanted(retention, now_ms, before)
    if dry:
        return after.limits()
    span = {"from_ms": before.raw_ms, "until_ms": after.raw_ms}
    losing = tight and connection.execute(_NOT_ROLLED_UP, span).fetchone()
    found, made_ms = move_bounds(ledger, retention, now_ms, whatever=tight)
    if losing:
        lost.record(connection, made_ms, found.raw_ms, now_ms)
    return found.limits()

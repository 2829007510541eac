"""History cut to the length that `<retention>` allows, in short transactions, so that nobody waits long.

Never deleted: hosts, open alerts, alerts with a message still owed, what the next poll needs to know.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from poller.metrics import SAMPLE_TABLES
from poller.model import Retention
from poller.store.sql import statements

_IDS_AT_ONCE: Final = 64
_PAGES_AT_ONCE: Final = 2000
# Free pages kept in the file for tomorrow's rows: giving back what is needed again would only cost.
_KEPT_SHARE: Final = 20


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows deleted (or, in a dry run, that would be) by table, and the bytes given back to the disk."""

    rows: Mapping[str, int]
    freed_bytes: int


def prune(connection: sqlite3.Connection, retention: Retention, now_ms: int, *, dry: bool = False) -> Pruned:
    """Deletes what is older than it may be. `dry` only counts."""
    limits = limits_ms(retention, now_ms)
    rows = {}
    for table, inventory in _PER_ID.items():
        rows[table] = _each(connection, table, inventory, limits[table], dry=dry)
    for table in _PLAIN:
        rows[table] = _run(connection, f"prune_{table}", [{"before_ms": limits[table]}], dry=dry)
    if dry:
        return Pruned(rows, 0)
    with _write(connection):
        connection.execute(statements()["note_done"], {"task": "prune", "now_ms": now_ms})
    freed = _give_back(connection)
    _empty_log(connection)
    return Pruned(rows, freed)


def prune_due(connection: sqlite3.Connection, now_ms: int, every_ms: int) -> bool:
    """A clock that was set back does not put it off."""
    row = connection.execute(statements()["last_done"], {"task": "prune"}).fetchone()
    return row is None or abs(now_ms - row[0]) >= every_ms


_PER_ID: Final = {table: inventory for table, (_, inventory, _) in SAMPLE_TABLES.items()} | {"poll": "host"}
_INVENTORIES: Final = ("core", "filesystem", "disk", "interface", "interface_address")
_PLAIN: Final = ("round", "event", "alert", "limit_state", *_INVENTORIES)


def limits_ms(retention: Retention, now_ms: int) -> dict[str, int]:
    """Table -> rows before this instant may go. Things outlive their samples and the polls that saw them."""

    def before(seconds: float) -> int:
        return now_ms - int(seconds * 1000)

    samples = dict.fromkeys(SAMPLE_TABLES, before(retention.samples)) | {"core_sample": before(retention.cores)}
    things = dict.fromkeys(_INVENTORIES, before(max(retention.samples, retention.cores, retention.polls)))
    polls = dict.fromkeys(("poll", "round"), before(retention.polls))
    samples["limit_state"] = before(retention.samples)
    return samples | things | polls | dict.fromkeys(("event", "alert"), before(retention.events))


def _each(connection: sqlite3.Connection, table: str, inventory: str, before_ms: int, *, dry: bool) -> int:
    ids = [number for (number,) in connection.execute(f"SELECT id FROM {inventory}").fetchall()]  # noqa: S608 - ours
    slices = (ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE))
    return sum(
        _run(connection, f"prune_each_{table}", [{"id": number, "before_ms": before_ms} for number in part], dry=dry)
        for part in slices
    )


def _run(connection: sqlite3.Connection, name: str, parameters: list[dict[str, int]], *, dry: bool) -> int:
    statement = statements()[name]
    if dry:
        count = statement.replace("DELETE FROM", "SELECT COUNT(*) FROM", 1)
        return sum(connection.execute(count, values).fetchone()[0] for values in parameters)
    with _write(connection):
        return connection.executemany(statement, parameters).rowcount


@contextmanager
def _write(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _give_back(connection: sqlite3.Connection) -> int:
    """Shortens the file by the free pages that are not worth keeping; returns bytes."""

    def pragma(name: str) -> int:
        value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    spare = pragma("freelist_count") - pragma("page_count") // _KEPT_SHARE
    before = pragma("page_count")
    for _ in range(0, spare, _PAGES_AT_ONCE):
        # Frees one page per step and has no columns: only executescript goes on stepping to its end.
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
    return (before - pragma("page_count")) * pragma("page_size")


def _empty_log(connection: sqlite3.Connection) -> None:
    """Cuts the write-ahead log to nothing, unless a reader needs it: then the next one will."""
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0").fetchall()
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {wait}").fetchall()

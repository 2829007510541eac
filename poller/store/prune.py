"""History cut to the length that `<retention>` allows, in short transactions, so that nobody waits long.

Never deleted: hosts, open alerts, alerts with a message still owed, what the next poll needs to know.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from poller.model import Retention
from poller.store import aging, shipped
from poller.store.aging import DAY_MS, Aging
from poller.store.database import immediate
from poller.store.shipped import newest_reports
from poller.store.sql import statements

_IDS_AT_ONCE: Final = 64
_PAGES_AT_ONCE: Final = 2000
# On a full disk: what one transaction deletes or moves must fit into the reserve, as must the log of it.
_ROWS_WHEN_TIGHT: Final = 1000
_PAGES_WHEN_TIGHT: Final = 128
# Free pages kept in the file for tomorrow's rows: giving back what is needed again would only cost.
_KEPT_SHARE: Final = 20
# The time may have leapt like this because the poller was off, or because the clock is wrong.
LEAP_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows deleted (or, in a dry run, that would be) by table, and the bytes given back to the disk."""

    rows: Mapping[str, int]
    freed_bytes: int


def prune(
    connection: sqlite3.Connection, retention: Retention, now_ms: int, *, dry: bool = False, tight: bool = False
) -> Pruned:
    """Deletes what is older than it may be. `dry` only counts; `tight` makes do with 2 MB of disk, keeps nothing."""
    limits = limits_ms(retention, now_ms)
    rows = dict.fromkeys((*aging.ALL, *_PLAIN), 0)
    elsewhere: Counter[str] = Counter()
    for table, statement, parameters in shipped.deletions(connection, now_ms):
        elsewhere[table] += _execute(connection, statement, parameters, dry=dry)
    for table, one in aging.ALL.items():
        rows[table] = _each(connection, one, limits[table], dry=dry, tight=tight)
    freed = give_back(connection, _PAGES_WHEN_TIGHT, keep=False) if tight else 0
    for table in _PLAIN:
        rows[table] = _execute(connection, statements()[f"prune_{table}"], [{"before_ms": limits[table]}], dry=dry)
    if dry:  # what is too old and elsewhere was counted twice
        return Pruned({table: max(count, elsewhere[table]) for table, count in rows.items()}, 0)
    with immediate(connection):
        connection.execute(statements()["note_done"], {"task": "prune", "now_ms": now_ms})
    freed += give_back(connection, _PAGES_AT_ONCE, keep=not tight)
    empty_log(connection)
    return Pruned({table: count + elsewhere[table] for table, count in rows.items()}, freed)


def prune_due(connection: sqlite3.Connection, now_ms: int, every_ms: int) -> bool:
    """A clock that was set back does not put it off. One that is far ahead must still be so after `every_ms`:

    the first time nothing is deleted, it is only noted. A wrong clock for some minutes must not cost all history.
    """
    row = connection.execute(statements()["last_done"], {"task": "prune"}).fetchone()
    if row is not None and now_ms - row[0] > LEAP_MS:
        with immediate(connection):
            connection.execute(statements()["note_done"], {"task": "prune", "now_ms": now_ms})
        return False
    return row is None or abs(now_ms - row[0]) >= every_ms


_INVENTORIES: Final = (
    "core", "filesystem", "disk", "interface", "interface_address", "unit", "service_check", "section_state",
)  # fmt: skip
_PLAIN: Final = (
    "round", "event", "alert", "silence", "message", "limit_state", "flap_state", *_INVENTORIES, "series", "peer",
    "log_source", "log_cursor",
)  # fmt: skip


def limits_ms(retention: Retention, now_ms: int) -> dict[str, int]:
    """Table -> rows before this instant may go. Things outlive their samples and the polls that saw them."""

    def before(seconds: float) -> int:
        return now_ms - int(seconds * 1000)

    things = before(max(retention.samples, retention.cores, retention.polls))
    limits = {
        **dict.fromkeys((*aging.SAMPLES, "limit_state", "flap_state"), before(retention.samples)),
        "core_sample": before(retention.cores),
        **dict.fromkeys(("connection", "peer_sample"), before(retention.connections)),
        **dict.fromkeys(("poll", "round", "peer_day"), before(retention.polls)),
        **dict.fromkeys(_INVENTORIES, things),
        # A series may have been seen a little later than it says, and a day's sum begins a day before its end.
        "series": things - DAY_MS,
        "peer": before(max(retention.polls, retention.connections)) - 2 * DAY_MS,
        **dict.fromkeys(("log_line", "log_source", "log_cursor"), before(retention.logs)),
        **dict.fromkeys(("event", "alert", "silence", "message"), before(retention.events)),
    }
    return {**dict.fromkeys(aging.EPISODES, limits["event"]), **limits}


def _each(connection: sqlite3.Connection, aged: Aging, before_ms: int, *, dry: bool, tight: bool) -> int:
    ids = [number for number, _ in newest_reports(connection, aged.inventory, before_ms)]
    if tight and not dry:
        return sum(_little_by_little(connection, aged, number, before_ms) for number in ids)
    slices = (ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE))
    return sum(
        _execute(connection, aged.deletion(), [{"id": number, "before_ms": before_ms} for number in part], dry=dry)
        for part in slices
    )


def _little_by_little(connection: sqlite3.Connection, aged: Aging, number: int, before_ms: int) -> int:
    """The old rows of one thing, so few at once that the log stays small, and it is emptied each time."""
    next_row = (
        f"SELECT {aged.time} + {aged.lasts_ms} FROM {aged.table}"  # noqa: S608 - names of ours
        f" WHERE {aged.owner} = ? AND {aged.time} IS NOT NULL ORDER BY {aged.time} LIMIT 1 OFFSET ?"
    )
    deleted, cut = 0, -1
    while cut < before_ms:
        row = connection.execute(next_row, (number, _ROWS_WHEN_TIGHT)).fetchone()
        cut = min(before_ms, row[0]) if row and row[0] > cut else before_ms
        some = _execute(connection, aged.deletion(), [{"id": number, "before_ms": cut}], dry=False)
        if some:
            empty_log(connection)
        deleted += some
    return deleted


def _execute(
    connection: sqlite3.Connection, statement: str, parameters: Sequence[Mapping[str, int]], *, dry: bool
) -> int:
    if dry:
        count = statement.replace("DELETE FROM", "SELECT COUNT(*) FROM", 1)
        return sum(connection.execute(count, values).fetchone()[0] for values in parameters)
    with immediate(connection):
        return connection.executemany(statement, parameters).rowcount


def give_back(connection: sqlite3.Connection, pages: int, *, keep: bool) -> int:
    """Shortens the file by the free pages that are not worth keeping; returns bytes."""

    def pragma(name: str) -> int:
        value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    spare = pragma("freelist_count") - (pragma("page_count") // _KEPT_SHARE if keep else 0)
    before = pragma("page_count")
    for _ in range(0, spare, pages):
        # Frees one page per step and has no columns: only executescript goes on stepping to its end.
        connection.executescript(f"PRAGMA incremental_vacuum({pages})")
        if not keep:
            empty_log(connection)
    return (before - pragma("page_count")) * pragma("page_size")


def empty_log(connection: sqlite3.Connection) -> None:
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

"""History cut to the length that `<retention>` allows, in short transactions, so that nobody waits long.

Never deleted: hosts, open alerts, alerts with a message still owed, what the next poll needs to know.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from poller.model import Retention
from poller.store import aging, shipped
from poller.store.aging import DAY_MS, Aging
from poller.store.database import immediate
from poller.store.rollup_limits import rolled_limits
from poller.store.rollup_sql import HOUR_MS
from poller.store.slicing import ROWS_AT_ONCE, Lot, give_way, lots, steps, unseen, with_old_rows
from poller.store.sql import statements

# What one transaction gives back: so many pages (some MB of log), or what is done in this time.
_PAGES_AT_ONCE: Final = 200
_STEP_SECONDS: Final = 0.02
# On a full disk: what one transaction deletes or moves must fit into the reserve, as must the log of it.
_ROWS_WHEN_TIGHT: Final = 1000
_PAGES_WHEN_TIGHT: Final = 128
# Free pages kept in the file for tomorrow's rows: giving back what is needed again would only cost.
_KEPT_SHARE: Final = 20
# The time may have leapt like this because the poller was off, or because the clock is wrong.
LEAP_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows deleted (or, in a dry run, that would be) by table, and the bytes given back to the disk.

    `busy`: none, because another prune is at work.
    """

    rows: Mapping[str, int]
    freed_bytes: int
    busy: bool = False


def prune(
    connection: sqlite3.Connection,
    retention: Retention,
    now_ms: int,
    *,
    dry: bool = False,
    tight: bool = False,
    stop: threading.Event | None = None,
) -> Pruned:
    """Deletes what is older than it may be. `dry` only counts; `tight` makes do with 2 MB of disk, keeps nothing.

    What is rolled up goes only as far as that is done, and what an archive rolls up stays while it waits for that; but
    not when it is `tight`.
    """
    stop = stop or threading.Event()
    limits = limits_ms(retention, now_ms) | rolled_limits(connection, retention, now_ms, dry=dry, tight=tight)
    limits = shipped.spare_waiting(connection, limits, now_ms, tight=tight and not dry)
    cut = _Cut(connection, stop, dry=dry, tight=tight)
    rows = dict.fromkeys((*aging.ALL, *aging.ROLLUPS, *_PLAIN), 0)
    elsewhere: Counter[str] = Counter()
    for table, statement, parameters in shipped.deletions(connection, now_ms, dry=dry):
        elsewhere[table] += cut.execute(statement, parameters)
    for table, one in {**aging.ALL, **aging.ROLLUPS}.items():
        rows[table] = cut.aged(one, limits[table])
    freed = give_back(connection, _PAGES_WHEN_TIGHT, keep=False, stop=stop) if tight else 0
    for table in _PLAIN:
        rows[table] = cut.plain(table, limits[table])
    if dry:  # what is too old and elsewhere was counted twice
        return Pruned({table: max(count, elsewhere[table]) for table, count in rows.items()}, 0)
    if not stop.is_set():
        with immediate(connection):
            connection.execute(statements()["note_done"], {"task": "prune", "now_ms": now_ms})
    freed += give_back(connection, _PAGES_AT_ONCE, keep=not tight, stop=stop)
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
    charted = min(things, before(max(retention.fives, retention.hours)) - HOUR_MS)
    limits = {
        **dict.fromkeys((*aging.SAMPLES, "limit_state", "flap_state"), before(retention.samples)),
        "core_sample": before(retention.cores),
        **dict.fromkeys(("connection", "peer_sample"), before(retention.connections)),
        **dict.fromkeys(("poll", "round", "peer_day"), before(retention.polls)),
        **dict.fromkeys(_INVENTORIES, things),
        **dict.fromkeys(("filesystem", "disk", "interface"), charted),
        # A series may have been seen a little later than it says, and a day's sum begins a day before its end.
        "series": charted - DAY_MS,
        "peer": before(max(retention.polls, retention.connections)) - 2 * DAY_MS,
        **dict.fromkeys(("log_line", "log_source", "log_cursor"), before(retention.logs)),
        **dict.fromkeys(("event", "alert", "silence", "message"), before(retention.events)),
    }
    return {**dict.fromkeys(aging.EPISODES, limits["event"]), **limits}


class _Cut:
    """Deletes in short transactions, or only counts."""

    def __init__(self, connection: sqlite3.Connection, stop: threading.Event, *, dry: bool, tight: bool) -> None:
        self._connection = connection
        self._stop = stop
        self._dry = dry
        self._tight = tight
        self._at_most = _ROWS_WHEN_TIGHT if tight else ROWS_AT_ONCE

    def aged(self, aged: Aging, before_ms: int) -> int:
        """What belongs to things."""
        ids = with_old_rows(self._connection, aged, before_ms)
        if self._dry:
            return self.execute(aged.deletion(), [{"id": number, "before_ms": before_ms} for number in ids])
        things = ((number, before_ms) for number in ids)
        return self._each(aged.deletion(), lots(self._connection, aged, things, self._at_most))

    def plain(self, table: str, before_ms: int) -> int:
        """A table of its own: by time where an index leads to that, or by id. Nobody waits while it is searched."""
        statement = statements()[f"prune_{table}"]
        all_of_it = {"before_ms": before_ms}
        if self._dry:
            return self.execute(statement, [all_of_it])
        if table in _BY_ID:
            by_id = statement.rstrip(";") + " AND id = :id"
            return self._each(by_id, unseen(self._connection, table, before_ms, self._at_most))
        due = statement.replace("DELETE FROM", "SELECT 1 FROM", 1).rstrip(";") + " LIMIT 1"
        if not self._connection.execute(due, all_of_it).fetchone():
            return 0
        if table not in _BY_TIME:
            return self.execute(statement, [all_of_it])
        cuts = steps(self._connection, table, _BY_TIME[table], before_ms, self._at_most)
        return self._each(statement, ([{"before_ms": cut_ms}] for cut_ms in cuts))

    def _each(self, statement: str, found: Iterator[Lot]) -> int:
        """A transaction for each lot, until it is time to end."""
        return sum(self.execute(statement, lot) for lot in takewhile(lambda _: not self._stop.is_set(), found))

    def execute(self, statement: str, parameters: Sequence[Mapping[str, int]]) -> int:
        if self._dry:
            count = statement.replace("DELETE FROM", "SELECT COUNT(*) FROM", 1)
            return sum(self._connection.execute(count, values).fetchone()[0] for values in parameters)
        if self._stop.is_set():
            return 0
        start = time.monotonic()
        with immediate(self._connection):
            deleted = self._connection.executemany(statement, parameters).rowcount
        if self._tight:
            empty_log(self._connection)
        elif deleted:
            give_way(self._stop, start)
        return deleted


_BY_TIME: Final = {"round": "started_ms", "event": "at_ms", "alert": "closed_ms", "message": "sent_ms"}
_BY_ID: Final = frozenset((*_INVENTORIES, "series", "peer"))


def give_back(connection: sqlite3.Connection, pages: int, *, keep: bool, stop: threading.Event | None = None) -> int:
    """Shortens the file by the free pages that are not worth keeping; returns bytes.

    At most so many `pages` in one transaction, less where they take long; after each of them others have their turn.
    Ends when `stop` is set, and goes on the next time.
    """
    stop = stop or threading.Event()

    def pragma(name: str) -> int:
        value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    before = left = pragma("page_count")
    while not stop.is_set():
        spare = pragma("freelist_count") - (left // _KEPT_SHARE if keep else 0)
        start = time.monotonic()
        if spare <= 0 or not _shorten(connection, min(pages, spare)):
            break
        if not keep:
            empty_log(connection)
        give_way(stop, start)
        left = pragma("page_count")
    return (before - pragma("page_count")) * pragma("page_size")


def _shorten(connection: sqlite3.Connection, pages: int) -> bool:
    """One transaction, page by page: how long a page takes depends on how many are free. False when none went."""
    with immediate(connection):
        (before,) = connection.execute("PRAGMA freelist_count").fetchone()
        until = time.monotonic() + _STEP_SECONDS
        for _ in range(pages):
            connection.execute("PRAGMA incremental_vacuum(1)").close()
            if time.monotonic() > until:
                break
        (after,) = connection.execute("PRAGMA freelist_count").fetchone()
    return bool(after < before)


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

"""History that stays fast: the latest status of 1,000 hosts, and one host's chart of 30 days, beside 14 days of raw
samples and all roll-ups of `system_sample`; and how long rolling up, pruning and giving pages back hold the database.

The database is made by SQL: one host's samples in all columns, as many numbers as bytes as a real host has, then the
same again for other hosts. Roll-ups of five minutes of 90 days and of hours of two years are made from these in the
same way. All hosts have a status, and BENCH_HISTORIES of them (50) a history: each is some 36 MB. Both questions are
answered by primary keys, so that more of them only make the same tree a level deeper (BENCH_HISTORIES=1000 shows it).
"""

from __future__ import annotations

import functools
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Row, spread
from poller.metrics import column_names
from poller.model import Retention
from poller.store import Journal, views
from poller.store.chart import history
from poller.store.database import immediate
from poller.store.prune import give_back, prune
from poller.store.rollup import roll_up
from poller.store.rollup_ledger import SqliteLedger
from poller.store.rollup_sql import HOUR_MS, floor

HOSTS: Final = 1000
HISTORIES: Final = int(os.environ.get("BENCH_HISTORIES", "50"))
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
_GIVING_SECONDS: Final = 10.0
END_MS: Final = floor(1_790_000_000_000, HOUR_MS)


def rows(runs: int) -> Iterator[Row]:
    """Each run asks another host. The database is made once."""
    with tempfile.TemporaryDirectory(prefix="poller-bench-") as folder:
        path = Path(folder) / "history.db"
        make_database(path, HOSTS, HISTORIES)
        size = path.stat().st_size / 1e9
        beside = f"beside {HISTORIES} histories, {size:.1f} GB; ms"
        yield _timed(f"latest status of {HOSTS} hosts beside their history", beside, 50, runs, lambda _: _latest(path))
        for days, words, target in ((30, "30 days", 100.0), (1, "a day", None), (365, "a year", None)):
            yield _timed(
                f"one host's chart of {words}",
                beside,
                target,
                runs,
                functools.partial(_chart, path, days),
            )
        yield from _holding(path)


def _timed(claim: str, beside: str, target: float | None, runs: int, ask: Callable[[int], None]) -> Row:
    taken = []
    for number in range(1, runs + 1):
        start = time.perf_counter()
        ask(number % HISTORIES)
        taken.append((time.perf_counter() - start) * 1000)
    return Row(claim, f"{beside}: {spread(taken)}", tuple(taken), target, "ms")


def _latest(path: Path) -> None:
    """What `poller status` reads of every host, the file opened anew."""
    if len(views.hosts(path)) != HOSTS:
        raise RuntimeError("not every host has a status")


def _chart(path: Path, days: int, number: int) -> None:
    """What `poller history` reads, opening the file included."""
    (course,) = history(path, f"h{number}", "cpu.percent", END_MS - days * DAY_MS, END_MS)
    if len(course.points) < 300:
        raise RuntimeError(f"a chart of {len(course.points)} points")


class _Held(sqlite3.Connection):
    """A connection that keeps how many milliseconds it held the database each time: by a transaction, a script, or
    when it emptied the log."""

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        self.held: list[float] = []
        self._begun = 0.0

    def execute(self, text: str, values: Any = ()) -> sqlite3.Cursor:
        if text.startswith(("BEGIN", "PRAGMA wal_checkpoint")):
            self._begun = time.perf_counter()
        cursor = super().execute(text, values)
        if text == "COMMIT" or text.startswith("PRAGMA wal_checkpoint"):
            self._keep()
        return cursor

    def executescript(self, text: str) -> sqlite3.Cursor:
        self._begun = time.perf_counter()
        cursor = super().executescript(text)
        self._keep()
        return cursor

    def _keep(self) -> None:
        self.held.append((time.perf_counter() - self._begun) * 1000)


def _holding(path: Path) -> Iterator[Row]:
    """Transactions, in ms, of rolling up one more hour of every host, of pruning a day, and of giving back the room
    of what was deleted at once: that for ten seconds, as it goes on the next time."""
    works: tuple[tuple[str, Callable[[_Held], int]], ...] = (
        ("rolling up an hour", _roll_up),
        ("pruning a day", _prune),
        ("giving back pages", _give_back),
    )
    for claim, work in works:
        with closing(sqlite3.connect(path, isolation_level=None, factory=_Held)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            start = time.process_time()
            count = work(connection)
            cpu = time.process_time() - start
            held = [one for one in connection.held if one > 0]
        figures = f"{count} rows, {cpu:.2f} s CPU, {len(held)} transactions; ms: {spread(held)}"
        longest = sorted(held)[-1 - len(held) // 100]
        yield Row(f"99 % of the transactions of {claim} of {HISTORIES} hosts", figures, (longest,), 50.0, "ms")


def _roll_up(connection: sqlite3.Connection) -> int:
    connection.execute("UPDATE rolled_up SET fives_ms = fives_ms - 3600000, hours_ms = hours_ms - 3600000")
    return roll_up(SqliteLedger(connection), 0, END_MS, threading.Event(), 600).rows


def _prune(connection: sqlite3.Connection) -> int:
    return sum(prune(connection, Retention(samples=13 * 86400.0), END_MS).rows.values())


def _give_back(connection: _Held) -> int:
    """Pages."""
    for table in ("system_5m", "system_1h"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.held.clear()
    stop = threading.Event()
    timer = threading.Timer(_GIVING_SECONDS, stop.set)
    timer.start()
    freed = give_back(connection, 200, keep=True, stop=stop)
    timer.cancel()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return freed // int(page_bytes)


def make_database(path: Path, hosts: int, histories: int) -> None:
    """A journal of so many hosts, some with 14 days of samples, one a minute, 90 days of five minutes, two years of
    hours."""
    Journal.open(path, now_ms=END_MS).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
        with immediate(connection):
            _first_host(connection)
        for number in range(1, hosts):
            with immediate(connection):
                _next_host(connection, number, known=number < histories)
        with immediate(connection):
            connection.execute("UPDATE history_bound SET from_ms = ? WHERE resolution = 'raw'", (END_MS - 14 * DAY_MS,))
            connection.execute("UPDATE history_bound SET from_ms = ? WHERE resolution = '5m'", (END_MS - 90 * DAY_MS,))
            connection.execute("INSERT INTO rolled_up SELECT id, ?, ? FROM host", (END_MS, END_MS))
        connection.executescript("PRAGMA journal_mode = WAL; ANALYZE")


# Half of the columns are the same all day on a real host (sizes, counts that are 0): these take little room there too.
_STEADY: Final = (
    "nice",
    "irq",
    "steal",
    "guest",
    "count",
    "total",
    "swap",
    "stopped",
    "zombie",
    "full",
    "uninterruptible",
)


def _first_host(connection: sqlite3.Connection) -> None:
    """Samples as one poll a minute leaves them; roll-ups by the poller's own SQL, repeated into the past."""
    names = column_names("system_sample")
    whole = {row[1] for row in connection.execute("PRAGMA table_info(system_sample)") if row[2] == "INTEGER"}
    cells = []
    for place, name in enumerate(names):
        if any(word in name for word in _STEADY):
            cells.append("8" if "count" in name else "16000000000" if name == "memory_total_bytes" else "0")
        elif name in whole:
            cells.append(
                f"(seq * {7919 + place} % 99991) * 65536" if name.endswith("bytes") else f"seq * {place} % 400"
            )
        else:
            cells.append(f"(seq * {7919 + place} % 99991) / 1000.7")
    connection.execute(
        "INSERT INTO system_sample WITH RECURSIVE number (seq) AS"  # noqa: S608 - names of ours
        " (SELECT 0 UNION ALL SELECT seq + 1 FROM number WHERE seq < 14 * 1440 - 1)"
        f" SELECT 1, {END_MS - 14 * DAY_MS} + seq * {MINUTE_MS}, {', '.join(cells)} FROM number"
    )
    _host(connection, 0)
    connection.execute("INSERT INTO rolled_up VALUES (1, ?, ?)", (END_MS - 14 * DAY_MS, END_MS - 14 * DAY_MS))
    connection.execute("COMMIT")
    roll_up(SqliteLedger(connection), END_MS, END_MS, threading.Event(), 600)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM rolled_up")
    for table, days in (("system_5m", 90), ("system_1h", 730)):
        for back in range(14, days, 14):
            _again(connection, table, 1, 1, -back * DAY_MS, END_MS - days * DAY_MS)


def _next_host(connection: sqlite3.Connection, number: int, *, known: bool) -> None:
    for table in ("system_sample", "system_5m", "system_1h") if known else ():
        _again(connection, table, number + 1, 1, 0, 0)
    _host(connection, number)


def _again(connection: sqlite3.Connection, table: str, host: int, like: int, later_ms: int, from_ms: int) -> None:
    """The 14 newest days of one host (all, without a shift) once more, as rows of another host or time."""
    rest = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()[2:])
    since = END_MS - 14 * DAY_MS if later_ms else 0
    connection.execute(
        f"INSERT INTO {table} SELECT {host}, at_ms + {later_ms}, {rest} FROM {table}"  # noqa: S608 - names of ours
        f" WHERE host_id = {like} AND at_ms >= {since} AND at_ms + {later_ms} >= {from_ms}"
    )


def _host(connection: sqlite3.Connection, number: int) -> None:
    host = number + 1
    connection.execute(
        "INSERT INTO host (id, name, first_seen_ms, last_seen_ms) VALUES (?, ?, 1, ?)", (host, f"h{number}", END_MS)
    )
    newest = (host, f"{host}", END_MS, END_MS - MINUTE_MS)
    connection.execute(
        "INSERT INTO host_latest VALUES (?, ?, ?, 'ok', '', '', '', 0.3, 0, ?, 9, 40, 0.3, 60, '/')", newest
    )


if __name__ == "__main__":
    say: Callable[[str], None] = print
    for one in rows(5):
        say(str(one))

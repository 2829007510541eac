"""Rows per second into an archive through shipping, beside the plainest multi-row INSERT of the same rows.

A journal with a backlog of 20 hosts is shipped into an empty archive; then the rows that arrived are read back, the
archive is emptied, and the same rows go in by multi-row INSERTs over the same connector and a fresh connection. Both
sides count the same rows; reading the journal, and forgetting there what has arrived, is part of ours only.

What both sides do alike, because it costs either of them: the transactions are the same, each with the rows of the same
300 polls and, within a table, in the order of its key. (Whole tables by key would leave out what history is like: every
batch has a row for each thing of each host.) Every commit is on the disk when it returns, and references are checked,
which MariaDB always does and SQLite when it is told to. A statement has as many rows as SQLite's oldest limit of 999
values allows, and at most a hundred: that is a little quicker than `executemany`.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, spread
from poller.model import ArchiveSettings
from poller.store import Journal
from poller.store.archive import ship
from poller.store.archive.shipping import POLLS_AT_ONCE
from poller.store.archive.tables import TABLES, columns
from poller.store.mysql import connect
from tests.mariadb import MARIADBD, Database, make_database, running
from tests.store.machines import START_MS, poll, values

HOSTS = 20
MINUTES = 60
# What shipping fills here; rows that the schema itself brings are not counted.
_LEFT_OUT = frozenset({"metric", "housekeeping", "history_bound", "notification", "alert", "limit_state"})
_CARRIED = [name for name in TABLES if name not in _LEFT_OUT]
Rows = dict[str, list[tuple[Any, ...]]]
Batch = dict[str, Sequence[tuple[Any, ...]]]


def rows(runs: int) -> Iterator[Row]:
    """Each run measures both sides one after the other, so that a slow minute is slow for both."""
    with tempfile.TemporaryDirectory(prefix="poller-bench-") as folder, ExitStack() as stack:
        journal = Path(folder) / "journal.db"
        _backlog(journal)
        if MARIADBD:
            server = stack.enter_context(running(("--innodb-buffer-pool-size=256M",)))
            yield _row("shipping into MariaDB beside a raw multi-row INSERT", journal, _Maria(server), runs, 1 / 0.6)
        yield _row("shipping into SQLite beside a raw multi-row INSERT", journal, _Sqlite(Path(folder)), runs, 1 / 0.6)


def _row(claim: str, journal: Path, kind: _Maria | _Sqlite, runs: int, target: float) -> Row:
    """`target`: how many times as long as the raw insert, at most."""
    shipped: list[float] = []
    raw: list[float] = []
    for _ in range(runs):
        settings = kind.fresh()
        count, seconds = _ship(journal, settings)
        found = kind.read()
        shipped.append(count / seconds)
        kind.fresh()
        seconds = kind.insert(list(_batches(found)))
        raw.append(sum(len(some) for some in found.values()) / seconds)
    figures = f"thousand rows per second: {spread(shipped, 0.001)} beside {spread(raw, 0.001)}"
    return Row(claim, figures, tuple(b / a for a, b in zip(shipped, raw, strict=True)), target)


def _backlog(path: Path) -> None:
    with Journal.open(path, now_ms=START_MS, archived=True) as journal:
        for minute in range(1, MINUTES + 1):
            with journal.transaction() as work:
                for host in range(HOSTS):
                    work.store_poll(poll(f"web{host}", minute), values(minute))


def _ship(source: Path, settings: ArchiveSettings) -> tuple[int, float]:
    """Rows that are there afterwards for the first time, and seconds."""
    with tempfile.TemporaryDirectory(prefix="poller-bench-") as folder:
        path = Path(folder) / "journal.db"
        shutil.copy(source, path)
        with Journal.open(path, now_ms=START_MS) as journal:
            start = time.perf_counter()
            done = ship(journal, settings, 1 << 30, threading.Event(), lambda: START_MS)
            seconds = time.perf_counter() - start
            if done.away or done.polls != HOSTS * MINUTES:
                raise RuntimeError(f"shipping came to {done}")
            connection = journal.queue().connection
            count = sum(connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in _CARRIED)  # noqa: S608
    return count, seconds


def _batches(found: Rows) -> Iterator[Batch]:
    """As shipping sends them: hosts and things with the first, then so many polls at a time with all that is theirs."""
    instants = sorted(row[columns("poll").index("at_ms")] for row in found["poll"])
    ends = [*instants[POLLS_AT_ONCE - 1 :: POLLS_AT_ONCE], instants[-1]]
    after = 0
    for end in sorted(set(ends)):
        yield {name: _between(name, found[name], after, end) for name in _CARRIED}
        after = end


def _between(name: str, found: Sequence[tuple[Any, ...]], after: int, end: int) -> Sequence[tuple[Any, ...]]:
    """In the order of the key. What has no time of its own goes with the first batch."""
    table = TABLES[name]
    if table.own_ids or not table.time:
        return found if after == 0 else ()
    place = columns(name).index(table.time)
    return sorted((row for row in found if after < row[place] <= end), key=itemgetter(*table.places))


class _Maria:
    def __init__(self, server: Any) -> None:
        self._server = server
        self._database: Database | None = None

    def fresh(self) -> ArchiveSettings:
        self._database = make_database(self._server)
        return self._database.writer

    @property
    def _settings(self) -> ArchiveSettings:
        assert self._database
        return self._database.writer

    def read(self) -> Rows:
        with connect(self._settings) as connection:
            return {name: connection.query(f"SELECT {', '.join(columns(name))} FROM {name}") for name in _CARRIED}  # noqa: S608

    def insert(self, batches: Sequence[Batch]) -> float:
        start = time.perf_counter()
        with connect(self._settings) as connection:
            for batch in batches:
                with connection.transaction():
                    for name, some in batch.items():
                        connection.insert(name, columns(name), some)
        return time.perf_counter() - start


class _Sqlite:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    @property
    def _path(self) -> Path:
        return self._folder / f"archive-{self._number}.db"

    def fresh(self) -> ArchiveSettings:
        self._number += 1
        Journal.open(self._path, now_ms=START_MS).close()
        return ArchiveSettings("sqlite", path=self._path)

    def read(self) -> Rows:
        with closing(sqlite3.connect(self._path)) as connection:
            return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in _CARRIED}  # noqa: S608

    def insert(self, batches: Sequence[Batch]) -> float:
        start = time.perf_counter()
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            for batch in batches:
                connection.execute("BEGIN IMMEDIATE")
                for name, some in batch.items():
                    _insert(connection, name, some)
                connection.execute("COMMIT")
        return time.perf_counter() - start


def _insert(connection: sqlite3.Connection, name: str, found: Sequence[tuple[Any, ...]]) -> None:
    width = len(columns(name))
    at_once = min(100, 999 // width)
    row = f"({', '.join('?' * width)})"
    for start in range(0, len(found), at_once):
        some = found[start : start + at_once]
        text = f"INSERT INTO {name} VALUES {', '.join([row] * len(some))}"  # noqa: S608 - names of our schema
        connection.execute(text, list(chain.from_iterable(some)))


if __name__ == "__main__":
    say: Callable[[str], None] = print
    for one in rows(5):
        say(f"{one.claim}: {one.figures}, {one.median:.2f} x as long (at most {one.target:.2f})")

"""Rows per second into the journal, beside a raw `executemany` of the same rows into the same schema.

Polls of 20 hosts, an hour of them, one transaction per minute, stored as the daemon does it. Once they are only stored
(`Work.store_poll`); once they go through the whole intake: rates, findings, two thresholds, what the next poll must
remember. Then the rows that are there are read back and go into a new database by executemany.

What both sides do alike, as in benchmarks/archive.py: a transaction has the rows of the polls of one minute and, within
a table, in the order of its key (whole tables by key would leave out what history is like: every minute has a row for
each thing of each host); every commit is on the disk when it returns, and references are checked. A row is one that
SQLite inserted, replaced or updated (`total_changes`): what is replaced at each poll, such as the memory of each host,
the raw side writes, and counts, but once. The whole intake is no claim: it does much besides.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Container
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Row, Rows, spread
from poller.intake import Intake
from poller.model import Config, Host, MetricValue, Poll, Threshold
from poller.store import Journal
from tests.store.machines import START_MS, poll, values

HOSTS: Final = 20
MINUTES: Final = 60
_HOSTS: Final = tuple(
    Host(
        f"web{number}",
        "192.0.2.1",
        thresholds=(Threshold("cpu.percent", above=90), Threshold("disk.percent", above=95)),
    )
    for number in range(HOSTS)
)
Table = list[tuple[Any, ...]]
Found = dict[str, list[Table]]  # of each table the rows of every minute
Hour = list[list[Poll]]  # by minute
Values = list[tuple[MetricValue, ...]]


def rows(runs: int) -> Rows:
    """Each run measures all sides one after the other, so that a slow minute is slow for all of them."""
    yield _row("storing polls in the journal beside a raw executemany", _store, runs, 1 / 0.6)
    yield _row("the whole intake of polls beside a raw executemany", _take, runs, None)


def _row(claim: str, ours: Callable[[Path, Hour, Values], int], runs: int, target: float | None) -> Row:
    stored: list[float] = []
    raw: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="poller-bench-") as folder:
            path, other = Path(folder) / "journal.db", Path(folder) / "raw.db"
            Journal.open(path, now_ms=START_MS).close()
            Journal.open(other, now_ms=START_MS).close()
            hour = [[poll(host.name, minute) for host in _HOSTS] for minute in range(1, MINUTES + 1)]
            numbers = [values(minute) for minute in range(1, MINUTES + 1)]
            start = time.perf_counter()
            written = ours(path, hour, numbers)
            seconds = time.perf_counter() - start
            found = _read(path, leave_out=_read(other))  # what the schema itself put there
            stored.append(written / seconds)
            raw.append(sum(len(some) for table in found.values() for some in table) / _insert(other, found))
    figures = f"thousand rows per second: {spread(stored, 0.001)} beside {spread(raw, 0.001)}"
    return Row(claim, figures, tuple(b / a for a, b in zip(stored, raw, strict=True)), target)


def _store(path: Path, hour: Hour, numbers: Values) -> int:
    with Journal.open(path, now_ms=START_MS, stays=True) as journal:
        for polls, seen in zip(hour, numbers, strict=True):
            with journal.transaction(together=True) as work:
                for one in polls:
                    work.store_poll(one, seen)
        return journal._connection.total_changes


def _take(path: Path, hour: Hour, numbers: Values) -> int:
    """The numbers are worked out from the reports."""
    config = Config(path.with_name("config.xml"), path, hosts=_HOSTS)
    with Journal.open(path, now_ms=START_MS, stays=True) as journal:
        with journal.transaction() as work:
            work.begin_round("hour", "full", START_MS, HOSTS)
        intake = Intake(journal, config, "hour", keep=True)
        for polls in hour:
            if not all(one.values for one in intake.take(polls)):
                raise RuntimeError("a poll gave no numbers")
        return journal._connection.total_changes


def _read(path: Path, leave_out: Container[str] = ()) -> Found:
    """Every table in the order in which the schema makes them, so that what is referred to comes first."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
        ).fetchall()
        polls = dict(connection.execute("SELECT id, at_ms FROM poll").fetchall())
        found = {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608 - from the schema
            for (name,) in names
            if name not in leave_out
        }
    return {name: _by_minute(some, polls) for name, some in found.items() if some}


def _by_minute(found: list[sqlite3.Row], polls: dict[str, int]) -> list[Table]:
    """What has neither an instant nor a poll goes with the first minute: hosts, their things, what is replaced."""
    minutes: list[Table] = [[] for _ in range(MINUTES)]
    columns = found[0].keys()
    for row in found:
        at_ms = polls[row["poll_id"]] if "poll_id" in columns else row["at_ms"] if "at_ms" in columns else 0
        minutes[max(0, (at_ms - START_MS) // 60_000 - 1)].append(tuple(row))
    return minutes


def _insert(path: Path, found: Found) -> float:
    start = time.perf_counter()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        for minute in range(MINUTES):
            connection.execute("BEGIN IMMEDIATE")
            for name, table in found.items():
                if some := table[minute]:
                    places = ", ".join("?" * len(some[0]))
                    connection.executemany(f'INSERT OR IGNORE INTO "{name}" VALUES ({places})', some)  # noqa: S608 - from the schema
            connection.execute("COMMIT")
    return time.perf_counter() - start

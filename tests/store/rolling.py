"""A database with a few hosts whose samples are put there row by row, and what its roll-ups must be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from poller.metrics import column_names
from poller.store.rollup_ledger import SqliteLedger
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED, Rolled
from poller.store.sql import migrations

START_MS = 1_760_000_400_000  # begin of an hour
Samples = Mapping[int, Mapping[int, float | None]]  # disk -> instant -> what was written per second


def database() -> sqlite3.Connection:
    """Hosts 1 to 3, each with the disks 10 * host and 10 * host + 1."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in migrations():
        connection.executescript(step.text)
    for host in (1, 2, 3):
        connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (?, ?, 1)", (host, f"web{host}"))
        for disk in (10 * host, 10 * host + 1):
            row = (disk, host, f"sd{disk}", "m", 1, 0, 1 << 60)
            connection.execute("INSERT INTO disk VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return connection


def empty(connection: sqlite3.Connection) -> None:
    """As it was when it was made."""
    for table in (*(name for one in ROLLED for name in (one.raw, one.fives, one.hours)),
                  "rolled_up", "late_window", "poll", "host_latest"):  # fmt: skip
        connection.execute(f"DELETE FROM {table}")
    connection.execute("UPDATE history_bound SET from_ms = 0")


def polled(connection: sqlite3.Connection, host: int, at_ms: int, value: float | None = 1.0) -> None:
    """A poll that brought a sample of the host and of both its disks."""
    poll(connection, host, at_ms)
    store(connection, {10 * host: {at_ms: value}, 10 * host + 1: {at_ms: value}})


def poll(connection: sqlite3.Connection, host: int, at_ms: int) -> None:
    connection.execute(
        "INSERT INTO poll (id, host_id, at_ms, outcome) VALUES (?, ?, ?, 'ok')", (f"{host}-{at_ms}", host, at_ms)
    )
    connection.execute("INSERT INTO system_sample (host_id, at_ms, cpu_percent) VALUES (?, ?, ?)",
                       (host, at_ms, at_ms % 97))  # fmt: skip
    connection.execute(
        "INSERT INTO host_latest (host_id, poll_id, at_ms, outcome, stage, code, error, seconds, failures, report_ms)"
        " VALUES (?1, '', ?2, 'ok', '', '', '', 1, 0, ?2)"
        " ON CONFLICT (host_id) DO UPDATE SET at_ms = max(at_ms, ?2), report_ms = max(report_ms, ?2)",
        (host, at_ms),
    )


def store(connection: sqlite3.Connection, samples: Samples) -> None:
    rows = [(disk, at_ms, value) for disk, found in samples.items() for at_ms, value in found.items()]
    connection.executemany("INSERT INTO disk_sample (disk_id, at_ms, write_seconds) VALUES (?, ?, ?)", rows)


def rolled(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All roll-ups."""
    return {
        name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
        for table in ROLLED
        for name in (table.fives, table.hours)
    }


def of_disks(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT disk_id, at_ms, samples, seconds, write_seconds_min, write_seconds_avg, write_seconds_max"
        f" FROM {table} ORDER BY 1, 2"
    ).fetchall()


def expected_fives(samples: Samples, until_ms: int) -> Iterator[tuple[Any, ...]]:
    """The definition, window by window, second by second as it were: nothing of the SQL is used."""
    for disk, found in sorted(samples.items()):
        windows: dict[int, list[int]] = {}
        for at_ms in sorted(found):
            windows.setdefault(at_ms // FIVE_MS, []).append(at_ms)
        for number, instants in sorted(windows.items()):
            end = (number + 1) * FIVE_MS
            if end > until_ms:
                continue
            parts = [
                (found[at_ms], (following - at_ms) / 1000)
                for at_ms, following in zip(instants, [*instants[1:], end], strict=True)
            ]
            yield disk, number * FIVE_MS, len(instants), (end - instants[0]) / 1000, *_three(parts)


def _three(parts: Sequence[tuple[float | None, float]]) -> tuple[float | None, float | None, float | None]:
    known = [(value, weight) for value, weight in parts if value is not None]
    if not known:
        return None, None, None
    values = [value for value, _ in known]
    mean = sum(value * weight for value, weight in known) / sum(weight for _, weight in known)
    return min(values), mean, max(values)


def expected_hours(fives: Iterable[tuple[Any, ...]], until_ms: int) -> Iterator[tuple[Any, ...]]:
    hours: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    for row in fives:
        hours.setdefault((row[0], row[1] // HOUR_MS), []).append(row)
    for (disk, number), rows in sorted(hours.items()):
        if (number + 1) * HOUR_MS > until_ms:
            continue
        known = [row for row in rows if row[4] is not None]
        least = min((row[4] for row in known), default=None)
        greatest = max((row[6] for row in known), default=None)
        mean = _three([(row[5], row[3]) for row in rows])[1]
        yield disk, number * HOUR_MS, sum(row[2] for row in rows), sum(row[3] for row in rows), least, mean, greatest


class Watched:
    """A ledger that says how many rows each question brought and each transaction changed, and that may die before its
    nth statement.
    """

    dialect = SqliteLedger.dialect

    def __init__(self, connection: sqlite3.Connection, dies_at: int = -1) -> None:
        self._ledger = SqliteLedger(connection)
        self._left = dies_at
        self.changed: list[int] = []
        self.brought: list[int] = []

    def query(self, text: str) -> list[tuple[Any, ...]]:
        rows = self._ledger.query(text)
        self.brought.append(len(rows))
        return rows

    def execute(self, text: str) -> int:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        rows = self._ledger.execute(text)
        self.changed[-1] += rows
        return rows

    def transaction(self) -> AbstractContextManager[None]:
        return self._counted()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.changed.append(0)
        with self._ledger.transaction():
            yield


def names(table: Rolled) -> list[str]:
    """The columns of a roll-up, as the catalogue has them."""
    triples = [f"{name}_{what}" for name in column_names(table.raw) for what in ("min", "avg", "max")]
    return [table.owner, "at_ms", "samples", "seconds", *triples]

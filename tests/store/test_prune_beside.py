"""While history is cut others write: no transaction of it is long, and after each they have their turn."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from poller.model import Retention
from poller.store import Journal
from poller.store.aging import SAMPLES
from poller.store.prune import Pruned, prune
from poller.store.slicing import ROWS_AT_ONCE, lots
from tests.store.conftest import Ask
from tests.store.machines import START_MS
from tests.store.test_prune import NOW_MS, at, store

MOST_PAGES = 200


class Turns(threading.Event):
    """Whoever prunes waits for it, and then another process writes, without any patience; `seen`: what it counts."""

    def __init__(self, other: sqlite3.Connection) -> None:
        super().__init__()
        self._other = other
        self.counts = "SELECT 0"
        self.seen: list[int] = []
        self.most = 1 << 30

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None and 0 <= timeout <= 0.05, "others get their turn, but nobody waits long for nothing"
        self._other.execute("BEGIN IMMEDIATE")
        self._other.execute("INSERT OR REPLACE INTO housekeeping (task, done_ms) VALUES ('beside', 1)")
        self._other.execute("COMMIT")
        self.seen.append(self._other.execute(self.counts).fetchone()[0])
        if len(self.seen) >= self.most:
            self.set()
        return self.is_set()

    @property
    def steps(self) -> list[int]:
        """By how much what is counted went down from turn to turn."""
        return [before - after for before, after in pairwise(self.seen)]


@pytest.fixture
def turns(journal: Journal, path: Path) -> Iterator[Turns]:
    """Beside a journal that is open."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        yield Turns(other)


def leave_pages(path: Path, pages: int) -> None:
    """So many free ones in the file, and a few that are in use behind them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table, count in (("gone", pages), ("stays", 50)):
            connection.execute(f"CREATE TABLE {table} (text TEXT)")
            connection.execute(
                f"INSERT INTO {table} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
                " SELECT printf('%4000d', i) FROM n"
            )
        connection.execute("DROP TABLE gone")


def test_pages_go_back_to_the_disk_in_steps_and_others_write_after_each(
    journal: Journal, path: Path, turns: Turns
) -> None:
    leave_pages(path, 3000)
    turns.counts = "SELECT freelist_count FROM pragma_freelist_count"
    pruned = journal.prune(Retention(), NOW_MS, turns)
    assert pruned.freed_bytes > 2800 * 4096
    assert len(turns.seen) >= 2800 // MOST_PAGES
    assert turns.seen[0] >= 3000 - MOST_PAGES
    assert all(0 < step <= MOST_PAGES for step in turns.steps)


def test_giving_pages_back_ends_when_it_is_time_to_and_goes_on_the_next_time(
    journal: Journal, path: Path, turns: Turns
) -> None:
    leave_pages(path, 3000)
    turns.most = 3
    first = journal.prune(Retention(), NOW_MS, turns)
    assert 0 < first.freed_bytes <= 3 * MOST_PAGES * 4096
    assert first.freed_bytes + journal.prune(Retention(), NOW_MS).freed_bytes > 2800 * 4096


def add_things(path: Path, count: int, seen_ms: int, port: int = 443) -> None:
    """So many peers and series of one host, from the first poll on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        connection.execute(
            "INSERT INTO peer (host_id, protocol, inbound, address, port, uid, name, scope, listed, first_seen_ms,"
            f" last_seen_ms) {numbers} SELECT 1, 'tcp', 1, i, {port}, 0, '', 'internet', 0, {START_MS}, {seen_ms}"
            " FROM n"
        )
        connection.execute(
            "INSERT INTO series (host_id, metric, label, first_seen_ms, last_seen_ms)"
            f" {numbers} SELECT 1, 'odd{port}', i, {START_MS}, {seen_ms} FROM n"
        )


@pytest.mark.parametrize("table", ["peer", "series"])
def test_things_of_long_ago_go_a_thousand_at_a_time(
    journal: Journal, path: Path, ask: Ask, turns: Turns, table: str
) -> None:
    store(journal, "web1", 1)
    add_things(path, 3500, at(1000))
    before = ask(f"SELECT COUNT(*) FROM {table}")[0][0]
    turns.counts = f"SELECT COUNT(*) FROM {table}"
    assert journal.prune(Retention(), NOW_MS, turns).rows[table] == 3500
    assert ask(f"SELECT COUNT(*) FROM {table}") == [(before - 3500,)]
    assert turns.seen[0] >= before - ROWS_AT_ONCE
    assert max(turns.steps) <= ROWS_AT_ONCE


def test_where_nothing_is_due_nobody_waits_and_things_are_not_asked_for_one_by_one(
    journal: Journal, path: Path
) -> None:
    store(journal, "web1", 1)
    add_things(path, 3, at(1))
    few = said_by_prune(path)
    add_things(path, 600, at(1), port=444)
    many = said_by_prune(path)
    assert len(few) == len(many)
    assert not [text for text in many if text.startswith("DELETE")]


def said_by_prune(path: Path) -> list[str]:
    """The statements of one that finds nothing to delete."""
    said: list[str] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_trace_callback(said.append)
        assert not any(prune(connection, Retention(), NOW_MS).rows.values())
    return said


@pytest.mark.parametrize(("kept", "gone"), [(500, 100), (0, 130)])
def test_what_another_deletes_meanwhile_moves_no_limit(journal: Journal, path: Path, kept: int, gone: int) -> None:
    """Of 150 old rows so many are gone between counting a lot and looking for its end."""
    store(journal, "web1", 0)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        rows = [(at_ms,) for at_ms in range(150 + kept)]
        other.executemany("INSERT INTO system_sample (host_id, at_ms) VALUES (1, ?)", rows)

        def meanwhile(text: str) -> None:
            if "OFFSET" in text:
                other.execute("DELETE FROM system_sample WHERE at_ms < ?", (gone,))

        connection.set_trace_callback(meanwhile)
        found = [one["before_ms"] for lot in lots(connection, SAMPLES["system_sample"], [(1, 150)], 100) for one in lot]
    assert max(found) == 150


class Another(threading.Event):
    """Between two transactions of one prune another begins; `did`: what came of it."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self.did: list[Pruned] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.did.append(self._journal.prune(Retention(), NOW_MS))
        return False


def test_one_prunes_at_a_time_and_who_comes_second_leaves_it_to_that_one(journal: Journal, path: Path) -> None:
    store(journal, "web1", 95, 94, 1)
    with Journal.open(path, now_ms=START_MS) as other:
        beside = Another(other)
        assert journal.prune(Retention(), NOW_MS, beside).rows["poll"] == 2
        assert set(map(repr, beside.did)) == {repr(Pruned({}, 0, busy=True))}
        store(journal, "web1", 93)
        assert other.prune(Retention(), NOW_MS).rows["poll"] == 1

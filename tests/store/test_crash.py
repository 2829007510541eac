"""Killed at any statement, or one of many: nothing acknowledged is lost, nothing is stored twice or by half.

The process dies by SIGKILL in the middle of SQLite's work: a statement
counter set with `set_trace_callback` stands in for the n-th write.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from poller.model import Alert, Change, ChangeKind, Comparison, Notification, Severity
from poller.store import Journal
from poller.store.database import connect_writer
from poller.store.sql import migrations
from tests.store.conftest import Ask
from tests.store.machines import CORES, START_MS, poll, values


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk guards against power cuts; what a killed process wrote is with the kernel already."""
    monkeypatch.setattr("poller.store.database._SETTINGS", ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = ON"))


def in_background(work: Callable[[], None]) -> int:
    """Runs `work` in a forked process, which never comes back into the tests; its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def ended(child: int) -> int:
    """Its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_a_child(work: Callable[[], None]) -> int:
    return ended(in_background(work))


def dying_at(statement: int) -> Callable[[str], None]:
    left = statement

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def alert(host: str) -> Alert:
    return Alert(f"a-{host}", host, "cpu.percent", (), Severity.HIGH, 95.0, "> 80", START_MS, START_MS, START_MS)


def take(journal: Journal) -> None:
    """A batch as the intake writes it: two hosts, each with an alert that opens and a message owed."""
    with journal.transaction() as work:
        for host in ("web1", "web2"):
            with work.savepoint():
                if not work.store_poll(poll(host, 2), values(2), None):
                    continue
                opened = alert(host)
                work.store_comparison(host, Comparison((), (opened,), (Change(ChangeKind.OPENED, opened, ""),)))
                work.enqueue([Notification(f"n-{host}", opened, ChangeKind.OPENED, "ops", 1, START_MS)])


def check(path: Path, polls: int) -> None:
    """Sound, and every poll has all that belongs to it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")

        def count(sql: str) -> int:
            found: int = connection.execute(sql).fetchone()[0]
            return found

        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert count("SELECT COUNT(*) FROM poll") == polls
        assert count("SELECT COUNT(*) FROM system_sample") == polls
        assert count("SELECT COUNT(*) FROM core_sample") == polls * len(CORES)
        assert count("SELECT COUNT(*) FROM host_latest") == min(polls, 2)
        assert count("SELECT COUNT(*) FROM notification") == count("SELECT COUNT(*) FROM alert") == max(0, polls - 1)


@pytest.mark.usefixtures("unsynced")
def test_a_poller_killed_at_any_statement_of_a_batch_loses_and_doubles_nothing(path: Path, tmp_path: Path) -> None:
    with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
        work.store_poll(poll("web1", 1), values(1))
    died = 0
    for statement in range(1, 1000):
        target = tmp_path / "killed" / "poller.db"
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(mode=0o700)
        shutil.copy(path, target)

        def work_until_death(target: Path = target, statement: int = statement) -> None:
            journal = Journal.open(target, now_ms=START_MS)
            journal._connection.set_trace_callback(dying_at(statement))
            take(journal)
            journal._connection.set_trace_callback(None)

        status = in_a_child(work_until_death)
        assert status in (0, -signal.SIGKILL)
        if status == 0:
            check(target, 3)
            break
        died += 1
        check(target, 1)
        with Journal.open(target, now_ms=START_MS) as journal:
            take(journal)
            take(journal)
        check(target, 3)
    assert died > 50


@pytest.mark.usefixtures("unsynced")
def test_an_upgrade_killed_at_any_statement_is_finished_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = 0
    # Each of the first, where the schema begins, and every seventh after that: they are much alike.
    for statement in (*range(1, 40), *range(40, 1000, 7)):
        target = tmp_path / str(statement) / "poller.db"

        def open_until_death(target: Path = target, statement: int = statement) -> None:
            def counted(path: Path) -> sqlite3.Connection:
                connection = connect_writer(path)
                connection.set_trace_callback(dying_at(statement))
                return connection

            monkeypatch.setattr("poller.store.journal.connect_writer", counted)
            Journal.open(target, now_ms=START_MS)

        status = in_a_child(open_until_death)
        assert status in (0, -signal.SIGKILL)
        with Journal.open(target, now_ms=START_MS) as journal, journal.transaction() as work:
            work.store_poll(poll("web1", 1), values(1))
        check(target, 1)
        shutil.rmtree(target.parent)
        if status == 0:
            break
        died += 1
    assert died > 30


def test_what_was_committed_survives_the_death_of_the_process_at_once(path: Path) -> None:
    def commit_and_die() -> None:
        journal = Journal.open(path, now_ms=START_MS)
        with journal.transaction() as work:
            work.store_poll(poll("web1", 1), values(1))
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_a_child(commit_and_die) == -signal.SIGKILL
    check(path, 1)


def test_five_writers_and_a_lingering_reader_share_one_database(path: Path, ask: Ask) -> None:
    each = 25  # more would take longer than SQLite waits for its turn, on a machine that is busy

    def write(number: int) -> None:
        with Journal.open(path, now_ms=START_MS) as journal:
            for minute in range(each):
                with journal.transaction() as work:
                    # One host of its own, one that all share: its polls differ by their id.
                    work.store_poll(poll(f"own{number}", minute), values(1))
                    shared = poll("shared", minute * 10 + number, number=number)
                    work.store_poll(shared, values(2))
                    work.store_poll(replace(shared), values(3))

    with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
        work.store_poll(poll("early", 1), values(1))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        cursor = reader.execute("SELECT * FROM core_sample")
        cursor.fetchone()
        children = [in_background(partial(write, number)) for number in range(5)]
        statuses = [ended(child) for child in children]
        log_bytes = path.with_name("poller.db-wal").stat().st_size
        assert len(cursor.fetchall()) == len(CORES) - 1
    assert statuses == [0] * 5
    assert log_bytes < 64 << 20
    assert ask("SELECT COUNT(*) FROM poll") == [(1 + 5 * each * 2,)]
    assert ask("SELECT COUNT(*) FROM host") == [(7,)]
    assert ask("SELECT COUNT(*) FROM core") == [(7 * len(CORES),)]
    assert ask("SELECT COUNT(*) FROM core_sample") == [((1 + 5 * each * 2) * len(CORES),)]
    assert ask("PRAGMA integrity_check") == [("ok",)]


def test_five_pollers_that_start_at_once_make_one_database(path: Path, ask: Ask) -> None:
    def start() -> None:
        Journal.open(path, now_ms=START_MS).close()

    children = [in_background(start) for _ in range(5)]
    assert [ended(child) for child in children] == [0] * 5
    assert ask("SELECT version FROM schema_migration") == [(step.version,) for step in migrations()]

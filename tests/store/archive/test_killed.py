"""Whoever ships may die at any statement, of the journal or of the archive: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.model import ArchiveSettings
from poller.model.contracts import Condition, Crossing, Question
from poller.store import Journal
from poller.store.archive import ship
from poller.store.archive.places import open_archive
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.tables import TABLES
from poller.store.archive.verifying import verify
from tests.mariadb import Database
from tests.store.archive.conftest import BOUND, asked, sqlite_settings, store
from tests.store.archive.test_shipping import alert, open_alert
from tests.store.machines import CORES, START_MS
from tests.store.test_crash import in_a_child

Step = Callable[[], None]
DIED = 9


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk guards against power cuts; what a killed process wrote is with the kernel already."""
    monkeypatch.setattr("poller.store.database._SETTINGS", ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = ON"))
    monkeypatch.setattr("poller.store.archive.shipping.POLLS_AT_ONCE", 2)
    monkeypatch.setattr("poller.store.archive.shipping.POLLS_TO_ATTACH", 1)


def dying_at(number: int) -> Step:
    left = number

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(DIED)

    return step


class CountedCrossing:
    """A way from journal to archive, with a step before and after each use."""

    def __init__(self, crossing: Crossing, step: Step) -> None:
        self._crossing = crossing
        self._step = step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crossing, name)

    def take(self, *given: Any) -> int:
        self._step()
        taken = self._crossing.take(*given)
        self._step()
        return taken


class Counted:
    """An archive that takes a step before each thing it does, and before and after each commit."""

    def __init__(self, archive: Any, step: Step) -> None:
        self._archive = archive
        self._step = step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._step()
        with self._archive.transaction():
            yield
            self._step()
        self._step()

    def attach(self, journal: Path) -> Any:
        crossing = self._archive.attach(journal)
        return crossing and CountedCrossing(crossing, self._step)

    def find(self, question: Question) -> Any:
        self._step()
        return self._archive.find(question)

    def put(self, table: str, columns: Any, rows: Any, *, current: bool) -> None:
        self._step()
        self._archive.put(table, columns, rows, current=current)

    def remove(self, table: str, conditions: tuple[Condition, ...], limit: int) -> int:
        self._step()
        removed: int = self._archive.remove(table, conditions, limit)
        return removed


def ship_until_death(path: Path, settings: ArchiveSettings, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a child. Every statement on the journal is a step, too."""
    monkeypatch.setattr(
        "poller.store.archive.shipping.open_archive", lambda *given: Counted(open_archive(*given), step)
    )
    journal = Journal.open(path, now_ms=START_MS)
    journal.queue().connection.set_trace_callback(lambda _: step())
    ship(journal, settings, BOUND, threading.Event(), lambda: START_MS)
    journal.queue().connection.set_trace_callback(None)


def check(path: Path, settings: ArchiveSettings, polls: int, *, whole: bool) -> None:
    """V1 and V2: every poll at most once and with all that belongs to it; at the end all of them."""
    ((count, different),) = asked(settings, "SELECT COUNT(*), COUNT(DISTINCT id) FROM poll")
    assert count == different
    assert asked(settings, "SELECT COUNT(*) FROM system_sample") == [(count,)]
    assert asked(settings, "SELECT COUNT(*) FROM core_sample") == [(count * len(CORES),)]
    ((alerts, told),) = asked(settings, "SELECT COUNT(*), (SELECT COUNT(*) FROM notification) FROM alert")
    assert (alerts, told) in ((0, 0), (1, 1), (1, 0))
    if whole:
        assert (count, alerts, told) == (polls, 1, 1)
        with SqliteArchive.reading(path) as journal, closing(open_archive(settings, START_MS)) as archive:
            assert verify(journal, archive).first == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def waiting(path: Path) -> Path:
    """A journal of which the archive has nothing yet: three polls in two batches, and an alert."""
    with Journal.open(path, now_ms=START_MS, archived=True) as journal:
        store(journal, "web1", 1, 2)
        open_alert(journal, alert("web1"))
        store(journal, "web2", 2)
    return path


def test_killed_at_any_statement_with_an_archive_in_sqlite(
    waiting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteArchive.open(tmp_path / "archive.db", START_MS).close()
    died = 0
    for number in range(1, 1000):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "poller.db"
        shutil.copy(waiting, path)
        settings = sqlite_settings(folder)
        shutil.copy(tmp_path / "archive.db", folder)

        def work(path: Path = path, settings: ArchiveSettings = settings, number: int = number) -> None:
            ship_until_death(path, settings, dying_at(number), monkeypatch)

        status = in_a_child(work)
        assert status in (0, DIED)
        died += status == DIED
        check(path, settings, 3, whole=False)
        with Journal.open(path, now_ms=START_MS) as journal:
            assert ship(journal, settings, BOUND, threading.Event(), lambda: START_MS).waiting == 0
        check(path, settings, 3, whole=True)
        shutil.rmtree(folder)
        if status == 0:
            break
    assert died > 60


def test_killed_at_many_statements_with_an_archive_on_mariadb(
    waiting: Path, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each death leaves a connection that the server rolls back; the next one begins where nothing is certain."""
    archive = replace(database.writer, tls="require", ca=None)  # reading all of the CAs would cost each connection much
    died = 0
    for number in (*range(2, 200, 17), 1000):
        path = tmp_path / str(number) / "poller.db"
        path.parent.mkdir()
        shutil.copy(waiting, path)
        empty(database)

        def work(path: Path = path, number: int = number) -> None:
            ship_until_death(path, archive, dying_at(number), monkeypatch)

        status = in_a_child(work)
        assert status in (0, DIED)
        died += status == DIED
        database.server.wait_for(OTHERS.format(archive.user), "0")
        check(path, archive, 3, whole=False)
        with Journal.open(path, now_ms=START_MS) as journal:
            assert ship(journal, archive, BOUND, threading.Event(), lambda: START_MS).waiting == 0
        check(path, archive, 3, whole=True)
        if status == 0:
            break
    assert died > 5


OTHERS = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{}'"


def empty(database: Database) -> None:
    tables = (name for name in reversed(TABLES) if name not in ("metric", "housekeeping"))
    database.sql("; ".join(f"DELETE FROM {table}" for table in tables))

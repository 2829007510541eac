"""Samples go over from journal to archive inside SQLite, when both are files of it: what that must not change."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import ArchiveSettings
from poller.store import Journal
from poller.store.archive import Shipped, ship
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.tables import SAMPLES, TABLES
from poller.store.archive.verifying import verify
from tests.store.archive.conftest import BOUND, AskArchive, asked, sqlite_settings, store
from tests.store.archive.test_shipping import same
from tests.store.conftest import Ask
from tests.store.machines import START_MS, poll, values


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArchiveSettings:
    """However few polls wait."""
    monkeypatch.setattr("poller.store.archive.shipping.POLLS_TO_ATTACH", 1)
    return sqlite_settings(tmp_path)


def send(journal: Journal, settings: ArchiveSettings) -> Shipped:
    return ship(journal, settings, BOUND, threading.Event(), lambda: START_MS + 600_000)


def differing(path: Path, settings: ArchiveSettings) -> object:
    assert settings.path is not None
    with SqliteArchive.reading(path) as journal, SqliteArchive.reading(settings.path) as archive:
        return verify(journal, archive).first


def test_polls_are_stored_while_a_batch_goes_to_the_archive(journal: Journal, tmp_path: Path) -> None:
    store(journal, "web1", 1)
    first = poll("web1", 1)
    ((host,),) = journal.queue().connection.execute("SELECT id FROM host").fetchall()
    with closing(SqliteArchive.open(tmp_path / "archive.db", START_MS)) as archive:
        crossing = archive.attach(journal.path)
        assert crossing is not None
        journal.wait_for_others(0.0)
        with archive.transaction():
            archive.put("host", TABLES["host"].columns, [("web1", 1, 1, *_rest("host"))], current=True)
            assert crossing.take([(first.id, host, first.at_ms)], [("host", host, 1, host)]) > 0
            store(journal, "web1", 2)
        assert archive.count("system_sample") == 1


def _rest(table: str) -> list[str]:
    """Empty values for the other columns."""
    return [""] * (len(TABLES[table].columns) - 3)


def test_samples_of_a_poll_that_is_not_sent_do_not_go_with_its_neighbours(
    journal: Journal, path: Path, settings: ArchiveSettings
) -> None:
    """It was refused earlier, or comes with the next batch because a clock was set back."""
    store(journal, "web1", 1, 2, 3)
    store(journal, "web2", 1, 2, 3)
    held = poll("web1", 2)
    connection = journal.queue().connection
    ((seq, *rest),) = connection.execute("SELECT * FROM outgoing WHERE item = ?", (held.id,)).fetchall()
    connection.execute("DELETE FROM outgoing WHERE item = ?", (held.id,))
    assert send(journal, settings).polls == 5
    for table in ("system_samples", "core_samples", "series_samples"):
        found = asked(settings, f"SELECT DISTINCT host, at_ms FROM {table} ORDER BY host, at_ms")
        assert [(host, (at_ms - START_MS) // 60_000) for host, at_ms in found] == [
            ("web1", 1), ("web1", 3), ("web2", 1), ("web2", 2), ("web2", 3)
        ], table  # fmt: skip
    connection.execute("INSERT INTO outgoing VALUES (?, ?, ?, ?)", (seq, *rest))
    assert send(journal, settings).polls == 1
    assert differing(path, settings) == ()


def test_a_file_in_the_place_of_the_journal_is_not_taken_for_it(
    journal: Journal, path: Path, settings: ArchiveSettings, ask_archive: AskArchive, tmp_path: Path
) -> None:
    """Somebody puts a backup back while the poller runs, whose ids mean other hosts and things."""
    with Journal.open(tmp_path / "other.db", now_ms=START_MS, archived=True) as other:
        for one, hosts in ((journal, ("web1", "web2")), (other, ("web2", "web1"))):
            for host in hosts:
                with one.transaction() as work:
                    work.store_poll(poll(host, 1), values(int(host[-1])))
    sql = "SELECT * FROM core_samples ORDER BY host, core, at_ms"
    wanted = journal.queue().connection.execute(sql).fetchall()
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).rename(path.with_name(f"moved-{name}"))
    (tmp_path / "other.db").rename(path)
    assert send(journal, settings).polls == 2
    assert ask_archive(sql) == wanted != []


def test_an_archive_that_cannot_see_the_journal_is_sent_rows(
    journal: Journal, path: Path, settings: ArchiveSettings, ask: Ask, ask_archive: AskArchive
) -> None:
    """One in UTF-16: SQLite does not attach a database in UTF-8 to it."""
    assert settings.path is not None
    with closing(sqlite3.connect(settings.path)) as made:
        made.executescript("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (n); DROP TABLE t")
    store(journal, "web1", 1, 2)
    assert send(journal, settings).polls == 2
    assert ask_archive("PRAGMA encoding") == [("UTF-16le",)]
    same(ask, ask_archive)
    assert differing(path, settings) == ()


def test_polls_of_one_instant_and_clocks_set_back_arrive_whole(
    journal: Journal, path: Path, settings: ArchiveSettings
) -> None:
    store(journal, "web1", 5, 1, 3)
    again = replace(poll("web1", 3, number=1), seconds=0.5)
    with journal.transaction() as work:
        work.store_poll(again, values(3))
    assert send(journal, settings).polls == 4
    store(journal, "web1", 4, 2, 6)
    assert send(journal, settings).polls == 3
    assert differing(path, settings) == ()
    for table in SAMPLES:
        count = f"SELECT COUNT(*) FROM {table}"
        assert asked(settings, count) == journal.queue().connection.execute(count).fetchall(), table

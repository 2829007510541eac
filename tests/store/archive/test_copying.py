"""A database copied to the other kind and back holds the same; `verify` says so, and where it does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from poller.errors import StoreError
from poller.model import ArchiveSettings, Event, Severity
from poller.model.contracts import Archive
from poller.store import Journal
from poller.store.archive.copying import PLACES, copy
from poller.store.archive.places import open_archive
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.tables import columns
from poller.store.archive.verifying import Difference, verify
from tests.store.archive.conftest import sqlite_settings, store
from tests.store.archive.test_shipping import alert, open_alert
from tests.store.machines import START_MS, failed, poll, values


@pytest.fixture
def full(path: Path) -> Path:
    """A journal with some of everything; its history is older than any archive."""
    with Journal.open(path, now_ms=START_MS) as journal:
        with journal.transaction() as work:
            work.begin_round("r1", "full", START_MS, 2)
            for minute in range(1, 8):
                work.store_poll(poll("web1", minute), values(minute), "r1")
            for minute in (2, 4):
                work.store_poll(replace(poll("web2", minute), error="naïve \\x1b[31m 😀 "), values(minute))
            work.store_poll(failed("db1", 1, security=True), ())
            work.store_events("", [Event("gap", START_MS, Severity.HIGH, "a'b\"c\\d %s ? ;--")])
        open_alert(journal, alert("web1"))
    return path


@contextmanager
def source(path: Path) -> Iterator[Archive]:
    with SqliteArchive.reading(path) as archive:
        yield archive


def test_there_and_back_nothing_is_lost_or_changed(full: Path, archive: Archive, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    with source(full) as original:
        sent = copy(original, archive, lambda count, of: done.append((count, of)))
        assert done[-1] == (10, 10)
        assert (sent.rows["poll"], sent.rows["host"], sent.rows["alert"], sent.rows["limit_state"]) == (10, 3, 1, 1)
        there = verify(original, archive)
        assert (there.equal, there.first) == (True, ())
        assert there.rows["core_sample"][0] > 50
        with closing(open_archive(replace(sqlite_settings(tmp_path), path=tmp_path / "back.db"), START_MS)) as back:
            copy(archive, back)
            assert verify(original, back).equal


def test_a_second_copy_changes_nothing_and_a_later_one_adds_what_is_new(full: Path, archive: Archive) -> None:
    with source(full) as original:
        copy(original, archive)
        assert copy(original, archive).rows["poll"] == 0
        assert verify(original, archive).equal
    with Journal.open(full, now_ms=START_MS) as journal:
        store(journal, "web1", 9)
        store(journal, "web3", 9)
    with source(full) as original:
        assert not verify(original, archive).equal
        copy(original, archive)
        assert verify(original, archive).equal


@pytest.mark.parametrize("after", [1, 3, 5, 7, 9])
def test_a_copy_that_broke_off_is_completed_by_the_next(
    full: Path, archive: Archive, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poller.store.archive.copying.POLLS_AT_ONCE", 2)
    left = after

    def break_off(done: int, of: int) -> None:
        nonlocal left
        left -= 1
        if left <= 0 or done == of:
            raise KeyboardInterrupt

    with source(full) as original:
        with pytest.raises(KeyboardInterrupt):
            copy(original, archive, break_off)
        copy(original, archive)
        assert verify(original, archive).equal


def test_samples_whose_poll_was_pruned_come_along(full: Path, archive: Archive) -> None:
    with Journal.open(full, now_ms=START_MS) as journal:
        journal.queue().connection.execute(
            f"DELETE FROM poll WHERE at_ms IN ({START_MS + 60_000}, {START_MS + 420_000})"
        )
    with source(full) as original:
        copy(original, archive)
        assert verify(original, archive).equal


def test_what_is_newer_there_is_not_made_old(full: Path, archive: Archive, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(full.read_bytes())
    old.chmod(0o600)
    with Journal.open(full, now_ms=START_MS) as journal:
        store(journal, "web1", 20)
    with source(full) as newer, source(old) as older:
        copy(newer, archive)
        copy(older, archive)
        assert verify(newer, archive).equal


def test_into_a_journal_with_an_archive_nothing_is_queued(full: Path, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "other.db", now_ms=START_MS, archived=True) as journal:
        own = SqliteArchive(journal.queue().connection, journal.path)
        with source(full) as original:
            copy(original, own)
            assert verify(original, own).equal
        assert journal.queue().next(10, 10) == ()
        store(journal, "web1", 30)
        assert [item.kind for item in journal.queue().next(10, 10)] == ["poll"]


CHANGES = {
    "UPDATE core_sample SET percent = percent + 1 WHERE core_id = (SELECT MIN(id) FROM core)": ("core_sample", 7),
    "DELETE FROM disk_sample WHERE at_ms = 1760000060000": ("disk_sample", 2),
    "UPDATE event SET details = 'nothing' WHERE kind = 'gap'": ("event", 1),
    "UPDATE host SET kernel = 'Hurd' WHERE name = 'web1'": ("host", 1),
    "UPDATE filesystem SET mountpoint = '/opt' WHERE mountpoint = '/var'": ("filesystem", 4),
    "DELETE FROM notification": ("notification", 1),
    "DELETE FROM poll WHERE outcome = 'failed'": ("poll", 1),
    "UPDATE host_latest SET failures = 7 WHERE failures = 0": ("host_latest", 2),
}


@pytest.mark.parametrize(("sql", "found"), CHANGES.items())
def test_every_kind_of_difference_is_found_and_named(
    full: Path, tmp_path: Path, sql: str, found: tuple[str, int]
) -> None:
    path = tmp_path / "archive.db"
    with source(full) as original, closing(SqliteArchive.open(path, START_MS)) as archive:
        copy(original, archive)
    with Journal.open(path, now_ms=START_MS) as journal:
        journal.queue().connection.execute(sql)
    with source(full) as original, source(path) as changed:
        result = verify(original, changed, 3)
    table, count = found
    assert not result.equal
    assert {name: n for name, n in result.differing.items() if n} == {table: count}
    assert 1 <= len(result.first) <= 3
    assert all(difference.table == table for difference in result.first)


def test_a_difference_is_told_in_words(full: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with source(full) as original, closing(SqliteArchive.open(path, START_MS)) as archive:
        copy(original, archive)
    with Journal.open(path, now_ms=START_MS) as journal:
        journal.queue().connection.execute("UPDATE poll SET seconds = 9 WHERE outcome = 'failed'")
    with source(full) as original, source(path) as changed:
        (only,) = verify(original, changed).first
    assert only == Difference(
        "poll", f"db1 {START_MS + 60_000} {failed('db1', 1).id}", "seconds is 0.01 in the first, 9.0 in the second"
    )


def test_a_folder_that_is_not_there_is_an_archive_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder") as caught:
        open_archive(ArchiveSettings("sqlite", path=tmp_path / "disk" / "archive.db"), START_MS)
    assert caught.value.code == "away"
    assert not (tmp_path / "disk").exists()


def test_places_fit_the_schema() -> None:
    for (table, column), place in PLACES.items():
        assert columns(table).index(column) == place


def test_what_the_target_refuses_is_named_and_the_rest_arrives(
    full: Path, archive: Archive, settings: ArchiveSettings, request: pytest.FixtureRequest
) -> None:
    if settings.kind == "sqlite":
        assert settings.path
        with closing(sqlite3.connect(settings.path)) as own, own:
            own.execute(
                "CREATE TRIGGER no BEFORE INSERT ON poll WHEN NEW.code = 'refused' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            own.execute(
                "CREATE TRIGGER nor BEFORE INSERT ON event WHEN NEW.kind = 'gap' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
    else:
        signal = "THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF//"
        request.getfixturevalue("database").sql(
            "DELIMITER //\n"
            f"CREATE TRIGGER no BEFORE INSERT ON poll FOR EACH ROW IF NEW.code = 'refused' {signal}\n"
            f"CREATE TRIGGER nor BEFORE INSERT ON event FOR EACH ROW IF NEW.kind = 'gap' {signal}"
        )
    with source(full) as original:
        copied = copy(original, archive)
        assert sorted(one.table for one in copied.refused) == ["event", "poll"]
        different = verify(original, archive)
    assert (different.rows["poll"], different.rows["event"][0] - different.rows["event"][1]) == ((10, 9), 1)
    assert different.rows["core_sample"][0] == different.rows["core_sample"][1]

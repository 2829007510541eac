"""A file upgrades itself after a copy, a server waits for its administrator; neither loses a poll."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.errors import StoreError
from poller.model import ArchiveSettings
from poller.store import Journal, views
from poller.store.archive import Shipped, ship
from poller.store.archive.places import open_archive, reading_archive
from poller.store.database import connect_writer
from poller.store.migrate import migrate
from poller.store.sql import migrations
from tests.mariadb import Database
from tests.store.archive.conftest import BOUND, asked, sqlite_settings, store
from tests.store.machines import START_MS


def send(journal: Journal, settings: ArchiveSettings) -> Shipped:
    return ship(journal, settings, BOUND, threading.Event(), lambda: START_MS)


def held(journal: Journal, settings: ArchiveSettings, code: str, waiting: int) -> None:
    shipped = send(journal, settings)
    assert shipped.away is not None
    assert (shipped.away.code, shipped.waiting, shipped.rejected) == (code, waiting, 0)
    state = views.shipping(journal.path)
    assert (state.code, state.waiting, state.away_since_ms) == (code, waiting, START_MS)


def test_a_server_that_is_behind_waits_for_its_upgrade_and_is_then_sent_everything(
    journal: Journal, database: Database
) -> None:
    store(journal, "web1", 1)
    assert send(journal, database.writer).polls == 1
    # As it is while another step is being applied, or has yet to be.
    database.sql("UPDATE schema_migration SET applied_ms = 0")
    store(journal, "web1", 2, 3)
    held(journal, database.writer, "older", 2)
    held(journal, database.writer, "older", 2)
    database.upgrade()
    shipped = send(journal, database.writer)
    assert shipped == Shipped(polls=2, rows=shipped.rows)
    assert asked(database.writer, "SELECT COUNT(*) FROM poll") == [(3,)]


def test_a_server_of_a_newer_poller_is_left_alone(journal: Journal, database: Database) -> None:
    database.sql("INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (900, 'later', 'x', 1)")
    database.sql("UPDATE schema_migration SET version = version + 1 WHERE version < 900 ORDER BY version DESC")
    database.sql("DELETE FROM schema_migration WHERE version = 900")
    database.sql("INSERT INTO schema_migration SELECT 1, name, checksum, applied_ms FROM schema_migration LIMIT 1")
    store(journal, "web1", 1)
    held(journal, database.writer, "newer", 1)
    assert asked(database.writer, "SELECT COUNT(*) FROM poll") == [(0,)]


def test_without_tables_or_rights_it_is_held_too(journal: Journal, empty_database: Database) -> None:
    store(journal, "web1", 1)
    held(journal, empty_database.writer, "absent", 1)
    held(journal, replace(empty_database.writer, user="nobody"), "denied", 1)
    held(journal, replace(empty_database.writer, database="nowhere"), "denied", 1)
    empty_database.upgrade()
    assert send(journal, empty_database.writer).polls == 1


def test_a_file_upgrades_itself_after_a_copy(journal: Journal, tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    assert settings.path is not None
    with closing(connect_writer(settings.path)) as connection:
        migrate(connection, settings.path, START_MS, migrations()[:1])
    with pytest.raises(StoreError) as caught, reading_archive(settings):
        pass
    assert caught.value.code == "older"
    store(journal, "web1", 1)
    assert send(journal, settings).polls == 1
    assert (tmp_path / "archive.db.schema-1").exists()


def test_a_file_of_a_newer_poller_or_another_program_is_left_alone(journal: Journal, tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    assert settings.path is not None
    open_archive(settings, START_MS).close()
    with closing(connect_writer(settings.path)) as connection:
        connection.execute("INSERT INTO schema_migration VALUES (99, 'later', 'x', 1)")
    store(journal, "web1", 1)
    held(journal, settings, "newer", 1)
    foreign = replace(settings, path=tmp_path / "foreign.db")
    with closing(connect_writer(tmp_path / "foreign.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    held(journal, foreign, "edited", 1)

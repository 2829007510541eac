"""A journal with an archive beside it: an SQLite file, or a database on a real MariaDB; the same tests for both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from poller.model import ArchiveSettings
from poller.model.contracts import Archive
from poller.store import Journal
from poller.store.archive import Shipped, ship
from poller.store.archive.places import open_archive
from tests.mariadb import Database
from tests.store.machines import START_MS, poll, values

BOUND = 1 << 30
KINDS = ("sqlite", "sqlite, attached", "mariadb")


class AskArchive(Protocol):
    """Runs one SELECT on the archive and gives its rows."""

    def __call__(self, sql: str) -> list[tuple[Any, ...]]: ...


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArchiveSettings:
    """An archive that is ready, of either kind; one in SQLite gets few polls by another way than many."""
    if request.param == "sqlite, attached":
        monkeypatch.setattr("poller.store.archive.shipping.POLLS_TO_ATTACH", 1)
    if request.param != "mariadb":
        return sqlite_settings(tmp_path)
    database: Database = request.getfixturevalue("database")
    return database.writer


def sqlite_settings(folder: Path) -> ArchiveSettings:
    return ArchiveSettings("sqlite", path=folder / "archive.db")


@pytest.fixture
def archive(settings: ArchiveSettings) -> Iterator[Archive]:
    with closing(open_archive(settings, START_MS)) as opened:
        yield opened


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal.open(path, now_ms=START_MS, archived=True) as opened:
        yield opened


@pytest.fixture
def send(journal: Journal, settings: ArchiveSettings) -> Callable[[], Shipped]:
    return lambda: ship(journal, settings, BOUND, threading.Event(), lambda: START_MS + 600_000)


@pytest.fixture
def ask_archive(settings: ArchiveSettings) -> AskArchive:
    return lambda sql: asked(settings, sql)


def asked(settings: ArchiveSettings, sql: str) -> list[tuple[Any, ...]]:
    """As somebody with a shell would."""
    if settings.kind == "sqlite":
        import sqlite3

        with closing(sqlite3.connect(str(settings.path))) as connection:
            return connection.execute(sql).fetchall()
    from poller.store.mysql import connect

    with connect(settings) as server:
        return server.query(sql)


def store(journal: Journal, host: str, *minutes: int) -> None:
    """A report per minute, each in a transaction of its own."""
    for minute in minutes:
        with journal.transaction() as work:
            work.store_poll(poll(host, minute), values(minute))

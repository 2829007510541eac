"""A real server that stops, dies or hangs in the middle: polls wait, and arrive once it is back, with no help."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from poller.store import Journal
from poller.store.archive import ship
from poller.store.archive.places import open_archive
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.verifying import verify
from poller.store.mysql import connect
from tests.mariadb import Database, MariaDb, make_database
from tests.store.archive.conftest import BOUND, store
from tests.store.machines import START_MS


def arrived(journal: Journal, database: Database) -> None:
    shipped = ship(journal, database.writer, BOUND, threading.Event(), lambda: START_MS)
    assert (shipped.away, shipped.waiting) == (None, 0)
    with SqliteArchive.reading(journal.path) as here, closing(open_archive(database.writer, START_MS)) as there:
        assert verify(here, there).first == ()


def test_stopped_killed_and_hanging_servers(journal: Journal, make_mariadb: Callable[..., MariaDb]) -> None:
    server = make_mariadb()
    database = make_database(server)
    store(journal, "web1", 1)
    arrived(journal, database)
    for end in (server.stop, server.kill):
        store(journal, "web1", *range(2, 5))
        store(journal, "web2", *range(2, 5))
        end()
        shipped = ship(journal, database.writer, BOUND, threading.Event(), lambda: START_MS)
        assert shipped.away is not None
        assert shipped.away.code == "away"
        server.start()
        arrived(journal, database)
    store(journal, "web3", 9)
    server.pause()
    begun = time.monotonic()
    shipped = ship(journal, replace(database.writer, timeout=1.0), BOUND, threading.Event(), lambda: START_MS)
    assert time.monotonic() - begun < 8
    assert shipped.away is not None
    assert shipped.away.code == "away"
    server.resume()
    arrived(journal, database)


def test_a_lock_that_another_holds_is_waited_for(
    journal: Journal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole transaction is repeated; when it lasts too long everything waits for the next round."""
    monkeypatch.setattr("poller.store.archive.shipping._BUSY_SECONDS", 2.5)
    store(journal, "web1", 1)
    arrived(journal, database)
    store(journal, "web1", 2)
    with connect(database.writer) as other:
        other.execute("START TRANSACTION")
        other.query("SELECT id FROM host WHERE name = 'web1' FOR UPDATE")
        shipped = ship(journal, replace(database.writer, timeout=3.0), BOUND, threading.Event(), lambda: START_MS)
        assert shipped.away is not None
        assert (shipped.away.code, shipped.rejected, shipped.waiting) == ("busy", 0, 1)
        letting_go = threading.Timer(1.3, other.execute, ("ROLLBACK",))
        letting_go.start()
        shipped = ship(journal, replace(database.writer, timeout=3.0), BOUND, threading.Event(), lambda: START_MS)
        letting_go.join()
        assert (shipped.away, shipped.polls) == (None, 1)
    arrived(journal, database)


def test_a_connection_that_is_killed_between_two_batches_costs_one_round(journal: Journal, database: Database) -> None:
    store(journal, "web1", 1, 2)
    calls = 0

    def clock() -> int:
        """Called after each batch: a good moment to cut the connection."""
        nonlocal calls
        calls += 1
        if calls == 2:
            ids = database.server.sql(
                f"SELECT id FROM information_schema.processlist WHERE user = '{database.writer.user}'"
            )
            database.server.sql("; ".join(f"KILL {number}" for number in ids.split()))
            store(journal, "web2", 3)
        return START_MS

    shipped = ship(journal, database.writer, BOUND, threading.Event(), clock)
    assert shipped.away is None or shipped.away.code == "away"
    arrived(journal, database)

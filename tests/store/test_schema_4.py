"""A journal of schema 3, with alerts and messages in every state, loses nothing when it is brought up to date."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.model import Alert, ChangeKind, LimitState, Severity
from poller.store import Journal, views
from poller.store.database import connect_writer
from poller.store.migrate import migrate
from poller.store.sql import migrations
from tests.store.conftest import Ask
from tests.store.machines import START_MS

STATES = ("owed", "held", "delivered", "failed", "suppressed")
KINDS = ("opened", "rose", "fell", "closed", "unconfigured")
ALERT = (
    "a1", '["web1", "disk.percent", {"mountpoint": "/"}]', 1, "disk.percent", '{"mountpoint": "/"}', "high", 97.5,
    "> 90 for 3 polls", START_MS - 9, START_MS - 5, START_MS, None, "it's ä 😀",
)  # fmt: skip


@pytest.fixture
def old(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Its rows, table by table, before."""
    with closing(connect_writer(path)) as connection:
        migrate(connection, path, START_MS, migrations()[:3])
        connection.execute("UPDATE archive_state SET enabled = 1")
        connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (1, 'web1', 1), (2, 'poller', 1)")
        connection.execute(
            "INSERT INTO host_latest (host_id, poll_id, at_ms, outcome, stage, code, error, seconds, failures)"
            " VALUES (1, 'p', ?, 'ok', '', '', '', 1, 0)",
            (START_MS,),
        )
        connection.execute(
            "INSERT INTO round (id, kind, started_ms, hosts) VALUES ('r', 'full', ?, 1)", (START_MS - 3,)
        )
        connection.execute(f"INSERT INTO alert VALUES ({', '.join('?' * 13)})", ALERT)
        connection.execute(
            f"INSERT INTO alert VALUES ({', '.join('?' * 13)})", ("a2", None, *ALERT[2:11], START_MS, "over")
        )
        for number, (state, kind) in enumerate(zip(STATES, KINDS, strict=True)):
            row = (f"n{number}", "a1", kind, "ops", number, START_MS + number, "low", None, "> 9", 1, 2, 3, 4, "why",
                   state, number, 5, "550 no")  # fmt: skip
            connection.execute(f"INSERT INTO notification VALUES ({', '.join('?' * 18)})", row)
        limits = [(1, "disk.percent", '{"mountpoint": "/"}', "above 90 high", 7, 3, 1),
                  (2, "poller.x", "{}", "k", 7, 1, 0)]  # fmt: skip
        connection.executemany("INSERT INTO limit_state VALUES (?, ?, ?, ?, ?, ?, ?)", limits)
        connection.execute("INSERT INTO activity_sample (host_id, at_ms, usb_devices) VALUES (1, 1, 3)")
        found = {}
        for table in ("alert", "notification", "limit_state", "activity_sample", "outgoing"):
            found[table] = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        return found


def upgrade(path: Path) -> Journal:
    return Journal.open(path, now_ms=START_MS)


def test_every_row_is_there_with_all_that_it_said(path: Path, old: dict[str, list[tuple[Any, ...]]]) -> None:
    with closing(sqlite3.connect(path)) as before:
        names = {table: [row[1] for row in before.execute(f"PRAGMA table_info({table})")] for table in old}
    upgrade(path).close()
    with closing(sqlite3.connect(path)) as connection:
        for table, rows in old.items():
            columns = ", ".join(names[table])
            assert connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall() == rows, table
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_was_held_back_was_so_for_the_network_and_what_was_owed_is(
    path: Path, old: dict[str, list[tuple[Any, ...]]], ask: Ask
) -> None:
    with upgrade(path) as journal:
        (owed,) = journal.outbox().pending()
        assert (owed.notification.id, owed.told, owed.held, owed.channel, owed.retry_ms) == ("n0", True, "", "", 0)
        assert owed.notification.kind is ChangeKind.OPENED
        assert ask("SELECT state, why FROM notification ORDER BY id") == [
            ("owed", ""), ("held", "network"), ("delivered", ""), ("failed", ""), ("suppressed", "network"),
        ]  # fmt: skip
        with journal.transaction() as work:
            assert work.release_held(START_MS, "network") == (1, 0)


def test_alerts_go_on_and_what_was_counted_counts_on(path: Path, old: dict[str, list[tuple[Any, ...]]]) -> None:
    with upgrade(path) as journal, journal.transaction() as work:
        memory = work.alert_memory("web1")
        assert memory.open == (
            Alert("a1", "web1", "disk.percent", (("mountpoint", "/"),), Severity.HIGH, 97.5, "> 90 for 3 polls",
                  START_MS - 5, START_MS, START_MS - 9, None, "it's ä 😀"),
        )  # fmt: skip
        labels = (("mountpoint", "/"),)
        assert memory.states == (
            LimitState("disk.percent", labels, "above 90 high", 7, 3, active=True, seen_ms=START_MS),
        )
        assert work.alert_memory("poller").states[0].seen_ms == START_MS - 3


def test_the_queue_goes_on_where_it_was_and_every_change_is_queued_as_before(
    path: Path, old: dict[str, list[tuple[Any, ...]]], ask: Ask
) -> None:
    waiting = len(old["outgoing"])
    assert waiting > 8
    with upgrade(path) as journal:
        assert ask("SELECT COUNT(*), MAX(seq) FROM outgoing") == [(waiting, waiting)]
        journal.outbox().suppress(["n0"], "short", START_MS)
        with journal.transaction() as work:
            work.begin_round("r2", "full", START_MS, 1)
    assert ask("SELECT seq, kind, item FROM outgoing ORDER BY seq LIMIT -1 OFFSET ?", waiting) == [
        (waiting + 1, "notification", "n0"), (waiting + 2, "round", "r2"),
    ]  # fmt: skip


def test_people_see_what_they_saw(path: Path, old: dict[str, list[tuple[Any, ...]]], ask: Ask) -> None:
    upgrade(path).close()
    assert ask("SELECT host, label, flapping, acknowledged FROM alerts WHERE closed IS NULL") == [("web1", "/", 0, 0)]
    assert ask("SELECT COUNT(*) FROM notifications") == [(5,)]
    assert ask("SELECT usb_devices, ping_seconds FROM activity_samples") == [(3, None)]
    assert views.backlog(path).owed == 1


def test_an_upgrade_that_dies_on_the_way_leaves_the_old_schema_whole(
    path: Path, old: dict[str, list[tuple[Any, ...]]]
) -> None:
    with closing(connect_writer(path)) as connection:
        newest = migrations()[3]
        steps = [*migrations()[:3], replace(newest, text=newest.text + "\nINSERT INTO nowhere VALUES (1);\n")]
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            migrate(connection, path, START_MS, steps)
        assert connection.execute("SELECT * FROM notification ORDER BY 1, 2").fetchall() == old["notification"]
    upgrade(path).close()

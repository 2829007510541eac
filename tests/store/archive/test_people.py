"""What people did about alerts, and what they were told, follows into the archive and comes back from there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.model import (
    Acknowledgement,
    Alert,
    ArchiveSettings,
    Change,
    ChangeKind,
    Comparison,
    EvidencePart,
    Flap,
    LimitState,
    Message,
    MetricValue,
    Notification,
    Ping,
    Poll,
    PollOutcome,
    Retention,
    Severity,
    Silence,
)
from poller.model.contracts import Archive
from poller.store import Journal, alerting
from poller.store.archive import Shipped, rebuild
from poller.store.archive.copying import copy
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.trimming import trim_archive
from poller.store.archive.verifying import verify
from tests.store.archive.conftest import AskArchive, store
from tests.store.conftest import Ask
from tests.store.machines import START_MS, failed

Send = Callable[[], Shipped]
MINUTE = 60_000
DAY_MS = 86_400_000
ALERT = Alert("a1", "web1", "cpu.percent", (), Severity.HIGH, 97.0, "> 90", START_MS, START_MS, START_MS)
STATE = LimitState("cpu.percent", (), "above 90 high", START_MS, 3, active=True, seen_ms=START_MS + 7)
TAKEN = Acknowledgement("k1", "a1", START_MS + 1, "ops", "it's 'on' \\ 😀", START_MS + 9 * MINUTE)
QUIET = Silence("s1", START_MS, START_MS + 9 * MINUTE, START_MS, "ops", "cabling", "lab*")
TABLES = ("alert", "notification", "acknowledgement", "silence", "evidence", "message")


@pytest.fixture
def told(journal: Journal) -> Iterator[Journal]:
    """An alert that flaps, with two notifications, one of them delivered and one held; all that may belong to it."""
    store(journal, "web1", 1)
    notes = [Notification(f"n{who}", ALERT, ChangeKind.FLAPPING, who, 1, START_MS) for who in ("ops", "net")]
    with journal.transaction() as work:
        flapping = replace(ALERT, flapping=True)
        flaps = (Flap("cpu.percent", (), 5),)
        changes = (Change(ChangeKind.OPENED, flapping, ""),)
        work.store_comparison("web1", Comparison((STATE,), (flapping,), changes, flaps))
        work.enqueue(notes)
        work.store_evidence("a1", [EvidencePart("kernel", START_MS, "ä\n\\ '"), EvidencePart("sockets", START_MS, "")])
    outbox = journal.outbox()
    outbox.delivered(Message("m1", "ops", "sms", START_MS + 5, "[HIGH] 😀", ("nops",), digest=True))
    outbox.hold(["nnet"], "hours")
    outbox.close()
    alerting.acknowledge(journal.path, TAKEN)
    alerting.add_silence(journal.path, QUIET)
    alerting.add_silence(journal.path, replace(QUIET, id="s2"))
    yield journal


def same(ask: Ask, ask_archive: AskArchive, tables: tuple[str, ...] = TABLES) -> None:
    for table in tables:
        question = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert plainly(ask(question)) == plainly(ask_archive(question)), table


def plainly(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Without ids that are each database's own: of alerts the host."""
    return [tuple(cell for cell in row if cell != 1) for row in rows]


def test_it_is_there_after_the_next_shipment(told: Journal, send: Send, ask: Ask, ask_archive: AskArchive) -> None:
    assert send().rejected == 0
    same(ask, ask_archive)
    assert ask_archive("SELECT COUNT(*) FROM silence") == [(2,)]
    assert ask_archive("SELECT seen_ms FROM limit_state") == [(START_MS + 7,)]


def test_what_is_taken_back_later_follows(told: Journal, send: Send, ask: Ask, ask_archive: AskArchive) -> None:
    send()
    alerting.end_acknowledgement(told.path, "a1", "boss", START_MS + 2 * MINUTE)
    alerting.end_silence(told.path, "s2", "boss", START_MS + 2 * MINUTE)
    assert send().rejected == 0
    same(ask, ask_archive)
    assert ask_archive("SELECT ended_by FROM silence ORDER BY id") == [("",), ("boss",)]
    assert ask_archive("SELECT ended_by FROM acknowledgement") == [("boss",)]
    assert send() == Shipped()


def test_an_empty_journal_gets_back_who_was_told_who_takes_care_and_what_is_silent(
    told: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path
) -> None:
    alerting.end_silence(told.path, "s2", "boss", START_MS + 2)
    send()
    path = tmp_path / "new" / "poller.db"
    now_ms = START_MS + 2 * MINUTE
    with Journal.open(path, now_ms=now_ms, archived=True) as fresh:
        assert rebuild(fresh, settings, now_ms) == 1
        with fresh.transaction() as work, told.transaction() as lost:
            assert work.open_alerts() == lost.open_alerts()
            assert work.told("a1") == lost.told("a1")
            assert work.notified(["a1"]) == lost.notified(["a1"])
            assert work.acknowledged(now_ms) == {"a1"}
            assert work.alert_memory("web1").states == (STATE,)
            assert work.alert_memory("web1").flaps == ()
        outbox = fresh.outbox(lambda: now_ms)
        (waiting,) = outbox.pending()
        assert (waiting.notification.id, waiting.held, waiting.acknowledged) == ("nnet", "hours", True)
        assert outbox.silences(now_ms) == (QUIET,)
        assert outbox.last_sent() == {"ops": START_MS + 5}
        assert set(outbox.evidence(["a1"])) == {"a1"}
        outbox.close()
        assert fresh.queue().next(10, 10) == ()


def test_a_copy_holds_all_of_it_and_differences_are_found(
    told: Journal, archive: Archive, ask_archive: AskArchive, path: Path, ask: Ask
) -> None:
    own = SqliteArchive(told.queue().connection, path)
    assert copy(own, archive).refused == ()
    same(ask, ask_archive)
    assert verify(own, archive).equal
    alerting.end_acknowledgement(path, "a1", "boss", START_MS + 2 * MINUTE)
    found = verify(own, archive)
    assert dict(found.differing) == {"acknowledgement": 1}
    copy(own, archive)
    assert verify(own, archive).equal


def test_what_belongs_to_an_alert_goes_with_it_and_the_rest_by_its_age(
    told: Journal, archive: Archive, send: Send, ask_archive: AskArchive
) -> None:
    closed = replace(ALERT, closed_ms=START_MS + MINUTE, updated_ms=START_MS + MINUTE)
    told.outbox().suppress(["nnet"], "over", START_MS + MINUTE)
    with told.transaction() as work:
        work.store_comparison("web1", Comparison((), (), (Change(ChangeKind.CLOSED, closed, ""),)))
    send()
    counts = {table: ask_archive(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES}
    assert counts == {"alert": 1, "notification": 2, "acknowledgement": 1, "silence": 2, "evidence": 2, "message": 1}
    trim_archive(archive, Retention(), threading.Event(), START_MS + 729 * DAY_MS)
    assert ask_archive("SELECT COUNT(*) FROM acknowledgement") == [(1,)]
    trim_archive(archive, Retention(), threading.Event(), START_MS + 731 * DAY_MS)
    for table in TABLES:
        assert ask_archive(f"SELECT COUNT(*) FROM {table}") == [(0,)], table


def test_the_journal_keeps_what_was_said_of_an_alert_until_the_archive_has_it(
    told: Journal, send: Send, ask: Ask, ask_archive: AskArchive
) -> None:
    closed = replace(ALERT, closed_ms=START_MS + MINUTE, updated_ms=START_MS + MINUTE)
    told.outbox().suppress(["nnet"], "over", START_MS + MINUTE)
    alerting.end_acknowledgement(told.path, "a1", "boss", START_MS + 2 * MINUTE)
    with told.transaction() as work:
        work.store_comparison("web1", Comparison((), (), (Change(ChangeKind.CLOSED, closed, ""),)))
    connection = told.queue().connection
    for kind in ("alert", "notification"):
        connection.execute("DELETE FROM outgoing WHERE kind = ?", (kind,))
    told.prune(Retention(), START_MS + 3 * DAY_MS)
    assert ask("SELECT COUNT(*) FROM acknowledgement") == [(1,)]
    send()
    told.prune(Retention(), START_MS + 3 * DAY_MS)
    assert ask("SELECT COUNT(*) FROM acknowledgement") == [(0,)]
    assert ask("SELECT COUNT(*) FROM evidence") == [(0,)]
    assert ask_archive("SELECT ended_by FROM acknowledgement") == [("boss",)]
    assert ask("SELECT COUNT(*) FROM silence") == [(2,)]


def test_echo_requests_of_polls_without_a_report_are_sent_along(
    journal: Journal, send: Send, ask_archive: AskArchive
) -> None:
    at_ms = START_MS + 2 * MINUTE
    pinged = Poll("p1", "sw1", at_ms, PollOutcome.OK, ping=Ping("192.0.2.7", 3, 3, 0.25), stages={"ping": 0.5})
    with journal.transaction() as work:
        work.store_poll(pinged, [MetricValue("ping.seconds", 0.25), MetricValue("ping.loss_percent", 0.0)])
        lost = replace(failed("web1", 3), ping=Ping("192.0.2.10", 3, 0))
        work.store_poll(lost, [MetricValue("ping.loss_percent", 100.0)])
    assert send().polls == 2
    assert ask_archive("SELECT at_ms, ping_seconds, ping_loss_percent FROM activity_sample ORDER BY at_ms") == [
        (at_ms, 0.25, 0.0), (at_ms + MINUTE, None, 100.0),
    ]  # fmt: skip
    assert ask_archive("SELECT report_ms, failures FROM host_latest ORDER BY at_ms") == [(at_ms, 0), (None, 1)]
    assert ask_archive("SELECT ping_seconds FROM poll ORDER BY at_ms") == [(0.5,), (None,)]


def test_numbers_in_the_queue_are_never_given_twice_however_empty_it_was(tmp_path: Path) -> None:
    """What was refused for good is known by its number."""
    from poller.store.database import connect_writer
    from poller.store.migrate import migrate
    from poller.store.sql import migrations

    path = tmp_path / "poller.db"
    with closing(connect_writer(path)) as connection:
        migrate(connection, path, START_MS, migrations()[:3])
        connection.execute("INSERT INTO outgoing (kind, item, at_ms) VALUES ('poll', 'x', 1), ('poll', 'y', 1)")
        connection.execute("DELETE FROM outgoing")
        migrate(connection, path, START_MS)
        connection.execute("INSERT INTO outgoing (kind, item, at_ms) VALUES ('message', 'z', 1)")
        assert connection.execute("SELECT seq FROM outgoing").fetchall() == [(3,)]

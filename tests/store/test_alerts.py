"""Alerts, what is counted towards them, and messages owed: remembered from poll to poll."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from poller.errors import StoreError
from poller.model import Alert, Change, ChangeKind, Comparison, Flap, LimitState, Notification, Pending, Severity
from poller.store import Journal, views
from tests.store.conftest import Ask
from tests.store.machines import START_MS, poll, values

DISK = Alert(
    id="a1",
    host="web1",
    metric="disk.percent",
    labels=(("mountpoint", "/var"),),
    severity=Severity.HIGH,
    value=91.5,
    limit="> 85 for 180s",
    opened_ms=START_MS + 9,
    updated_ms=START_MS + 10,
    since_ms=START_MS,
)
CPU = replace(DISK, id="a2", metric="cpu.percent", labels=(), severity=Severity.LOW)
STATE = LimitState(
    "disk.percent", (("mountpoint", "/var"),), "above 85 high", START_MS, 3, active=True, seen_ms=START_MS
)
FLAP = Flap("disk.percent", (("mountpoint", "/var"),), 0b101, flapping=True)


def closed(alert: Alert) -> Alert:
    return replace(alert, closed_ms=START_MS + 99, reason="80 < 85")


def compared(journal: Journal, comparison: Comparison) -> None:
    with journal.transaction() as work:
        work.store_comparison("web1", comparison)


@pytest.fixture(autouse=True)
def _host(journal: Journal) -> None:
    with journal.transaction() as work:
        work.store_poll(poll("web1"), values(1))


def opened(*alerts: Alert) -> Comparison:
    return Comparison((STATE,), alerts, tuple(Change(ChangeKind.OPENED, alert, "") for alert in alerts), (FLAP,))


def test_what_was_compared_is_remembered(journal: Journal) -> None:
    compared(journal, opened(DISK, CPU))
    with journal.transaction() as work:
        memory = work.alert_memory("web1")
        assert memory.states == (STATE,)
        assert memory.flaps == (FLAP,)
        assert set(memory.open) == {DISK, CPU}
        assert work.alert_memory("web2").open == ()
        assert work.hosts_with_open_alerts() == ("web1",)


def test_an_alert_takes_its_newest_value_and_severity_and_states_that_ended_are_forgotten(journal: Journal) -> None:
    compared(journal, opened(DISK))
    newer = replace(DISK, value=97.0, severity=Severity.MEDIUM, updated_ms=START_MS + 50)
    compared(journal, Comparison((), (newer,)))
    with journal.transaction() as work:
        memory = work.alert_memory("web1")
    assert memory.open == (newer,)
    assert memory.states == ()
    assert memory.flaps == ()


def test_an_episode_that_closes_frees_its_identity_for_the_next_in_the_same_breath(journal: Journal, ask: Ask) -> None:
    compared(journal, opened(DISK))
    again = replace(DISK, id="a3", opened_ms=START_MS + 99)
    compared(
        journal,
        Comparison(
            (STATE,), (again,), (Change(ChangeKind.OPENED, again, ""), Change(ChangeKind.CLOSED, closed(DISK), ""))
        ),
    )
    assert ask("SELECT id, closed_ms, open_key IS NULL FROM alert ORDER BY id") == [
        ("a1", START_MS + 99, 1),
        ("a3", None, 0),
    ]


def test_two_open_episodes_of_one_identity_are_refused(journal: Journal) -> None:
    compared(journal, opened(DISK))
    twin = replace(DISK, id="twin")
    with pytest.raises(StoreError, match="UNIQUE"):
        compared(journal, Comparison((), (DISK, twin), (Change(ChangeKind.OPENED, twin, ""),)))


def note(number: int = 1, recipient: str = "ops", kind: ChangeKind = ChangeKind.OPENED) -> Notification:
    return Notification(f"n-{recipient}-{number}", DISK, kind, recipient, number, START_MS + number)


def enqueue(journal: Journal, *notes: Notification) -> None:
    with journal.transaction() as work:
        work.enqueue(notes)


def test_what_is_owed_is_the_alert_as_it_was_when_it_happened(journal: Journal) -> None:
    compared(journal, opened(DISK))
    enqueue(journal, note())
    compared(journal, Comparison((), (replace(DISK, value=99.0),)))
    assert list(journal.outbox().pending()) == [Pending(note())]


def test_a_message_enqueued_twice_is_owed_once_and_the_numbers_are_known(journal: Journal) -> None:
    compared(journal, opened(DISK))
    enqueue(journal, note(1), note(2, kind=ChangeKind.ROSE), note(1, "net"))
    enqueue(journal, note(1), replace(note(1), id="another id, same message"))
    with journal.transaction() as work:
        assert work.told("a1") == ({"ops": 2, "net": 1}, frozenset({"ops", "net"}))
        assert work.told("unknown") == ({}, frozenset())
    assert len(journal.outbox().pending()) == 3


def test_a_message_that_is_held_back_is_neither_owed_nor_told_until_it_is_released(journal: Journal) -> None:
    compared(journal, opened(DISK))
    enqueue(journal, note(1), note(1, "net"))
    with journal.transaction() as work:
        assert work.hold_news(["web1"], DISK.metric, START_MS, "network") == 2
        assert work.told("a1") == ({"ops": 1, "net": 1}, frozenset())
    assert list(journal.outbox().pending()) == []
    with journal.transaction() as work:
        assert work.release_held(START_MS, "parent gw1") == (0, 0)
        assert work.release_held(START_MS, "network") == (2, 0)
        assert work.told("a1") == ({"ops": 1, "net": 1}, frozenset({"ops", "net"}))
    assert len(journal.outbox().pending()) == 2


def test_only_news_of_that_metric_and_time_is_held_back(journal: Journal) -> None:
    compared(journal, opened(DISK))
    enqueue(journal, note(1))
    with journal.transaction() as work:
        assert work.hold_news(["web1"], "host.down", START_MS, "network") == 0
        assert work.hold_news(["web2"], DISK.metric, START_MS, "network") == 0
        assert work.hold_news(["web1"], DISK.metric, DISK.opened_ms + 1, "network") == 0
        assert work.hold_news([], DISK.metric, START_MS, "network") == 0


def test_a_message_for_an_alert_that_is_not_stored_is_refused(journal: Journal) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        enqueue(journal, note())


def test_alerts_are_seen_by_those_who_look(journal: Journal, ask: Ask) -> None:
    compared(journal, opened(CPU, DISK))
    (host,) = views.hosts(journal.path)
    assert [alert.severity for alert in host.alerts] == [Severity.HIGH, Severity.LOW]
    assert ask("SELECT host, metric, label FROM alerts WHERE severity = 'high'") == [("web1", "disk.percent", "/var")]


def test_a_severity_that_does_not_exist_is_refused_by_the_database(journal: Journal) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        journal._connection.execute("INSERT INTO event (kind, at_ms, severity, details) VALUES ('x', 1, 'awful', '')")

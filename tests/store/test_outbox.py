"""The outbox: what is owed, held back, tried, sent and given up, and only by one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import (
    Acknowledgement,
    Alert,
    Change,
    ChangeKind,
    Comparison,
    EvidencePart,
    Notification,
    Pending,
    Severity,
    Silence,
)
from poller.store import Journal, Notice, alerting, views
from poller.store.outbox import JournalOutbox
from tests.store.conftest import Ask, message
from tests.store.machines import START_MS, poll, values

ALERT = Alert("a1", "web1", "cpu.percent", (), Severity.HIGH, 97.0, "> 90", START_MS, START_MS, START_MS)


def note(number: int, recipient: str = "ops", kind: ChangeKind = ChangeKind.OPENED) -> Notification:
    return Notification(f"n-{recipient}-{number}", ALERT, kind, recipient, number, START_MS + number)


PROBLEM, RISE = note(1), note(2, kind=ChangeKind.ROSE)


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """With one alert, of which ops are owed two messages and net one."""
    with Journal.open(path, now_ms=START_MS) as opened:
        with opened.transaction() as work:
            work.store_poll(poll("web1"), values(1))
            work.store_comparison("web1", Comparison((), (ALERT,), (Change(ChangeKind.OPENED, ALERT, ""),)))
            work.enqueue([PROBLEM, RISE, note(1, "net")])
        yield opened


@pytest.fixture
def outbox(journal: Journal) -> JournalOutbox:
    return journal.outbox(lambda: START_MS + 1000)


def waiting(outbox: JournalOutbox) -> dict[str, Pending]:
    return {one.notification.id: one for one in outbox.pending()}


def close_alert(journal: Journal) -> None:
    closed = replace(ALERT, closed_ms=START_MS + 99, reason="over")
    with journal.transaction() as work:
        work.store_comparison("web1", Comparison((), (), (Change(ChangeKind.CLOSED, closed, ""),)))


def test_what_is_owed_comes_oldest_first_with_the_alert_as_it_was(outbox: JournalOutbox) -> None:
    assert outbox.pending() == (Pending(note(1, "net")), Pending(PROBLEM), Pending(RISE))


def test_a_message_that_was_accepted_is_on_record_with_all_that_was_in_it(outbox: JournalOutbox, ask: Ask) -> None:
    outbox.pending()
    outbox.delivered(message("n-ops-1", "n-ops-2", sent_ms=START_MS + 50))
    assert list(waiting(outbox)) == ["n-net-1"]
    assert ask("SELECT sent, contact, channel, subject, digest, notifications FROM messages") == [
        ("2025-10-09 08:53:20", "ops", "mail", "[HIGH] web1", 0, 2)
    ]
    assert (
        ask("SELECT state, channel, message_id, attempts, done FROM notifications WHERE recipient = 'ops'")
        == [("delivered", "mail", "m1", 1, "2025-10-09 08:53:20")] * 2
    )


def test_who_was_told_and_what_became_of_the_alert_is_known_with_each(journal: Journal, outbox: JournalOutbox) -> None:
    outbox.delivered(message("n-ops-1"))
    found = waiting(outbox)
    assert (found["n-ops-2"].told, found["n-net-1"].told) == (True, False)
    assert not found["n-ops-2"].over
    close_alert(journal)
    assert all(one.over for one in outbox.pending())


def test_who_takes_care_is_known_with_each_for_as_long_as_it_holds(journal: Journal, path: Path) -> None:
    alerting.acknowledge(path, Acknowledgement("k1", "a1", START_MS, "ops", "on it", START_MS + 500))
    assert all(one.acknowledged for one in JournalOutbox(journal._connection, path, lambda: START_MS + 499).pending())
    assert not any(one.acknowledged for one in journal.outbox(lambda: START_MS + 500).pending())


def test_what_was_not_accepted_is_tried_again_by_the_channel_and_at_the_time_that_were_said(
    outbox: JournalOutbox,
) -> None:
    for _ in range(9):
        outbox.failed(["n-ops-1"], "connection refused", START_MS, channel="mail", retry_ms=START_MS + 60_000)
    assert list(waiting(outbox)) == ["n-net-1", "n-ops-1", "n-ops-2"]
    tried = waiting(outbox)["n-ops-1"]
    assert (tried.channel, tried.retry_ms) == ("mail", START_MS + 60_000)
    assert (tried.notification.attempts, tried.notification.error) == (9, "connection refused")


def test_what_is_given_up_is_counted_and_keeps_its_reason(journal: Journal, outbox: JournalOutbox, ask: Ask) -> None:
    outbox.failed(["n-ops-1"], "550 no such user", START_MS + 20_000, channel="mail", retry_ms=None)
    assert list(waiting(outbox)) == ["n-net-1", "n-ops-2"]
    assert ask("SELECT channel, error, done FROM notifications WHERE state = 'failed'") == [
        ("mail", "550 no such user", "2025-10-09 08:53:40")
    ]
    with journal.transaction() as work:
        assert work.undelivered(START_MS + 20_000) == 1
        assert work.undelivered(START_MS + 20_001) == 0


def test_nobody_counts_as_told_by_what_could_not_be_delivered_or_is_held_back(
    journal: Journal, outbox: JournalOutbox
) -> None:
    outbox.failed(["n-ops-1", "n-ops-2"], "550", START_MS, channel="mail", retry_ms=None)
    outbox.hold(["n-net-1"], "hours")
    with journal.transaction() as work:
        assert work.told("a1") == ({"ops": 2, "net": 1}, frozenset())


def test_what_is_held_back_stays_pending_with_its_reason_until_it_is_released(outbox: JournalOutbox) -> None:
    outbox.hold(["n-ops-1", "n-net-1"], "silence 1f2e")
    assert waiting(outbox)["n-ops-1"].held == "silence 1f2e"
    outbox.hold(["n-ops-1"], "quota mail")
    assert waiting(outbox)["n-ops-1"].held == "quota mail"
    outbox.release(["n-ops-1", "n-ops-2"])
    assert {number: one.held for number, one in waiting(outbox).items()} == {
        "n-net-1": "silence 1f2e", "n-ops-1": "", "n-ops-2": "",
    }  # fmt: skip


def test_what_is_suppressed_is_never_sent_and_says_why(outbox: JournalOutbox, ask: Ask) -> None:
    outbox.suppress(["n-ops-1"], "short", START_MS + 20_000)
    outbox.delivered(message("n-ops-1"))
    outbox.release(["n-ops-1"])
    assert "n-ops-1" not in waiting(outbox)
    assert ask("SELECT why, done FROM notifications WHERE state = 'suppressed'") == [("short", "2025-10-09 08:53:40")]


@pytest.mark.parametrize("why", ["network", "parent gw1"])
def test_what_is_held_back_for_a_network_is_not_for_the_outbox_to_release(
    journal: Journal, outbox: JournalOutbox, why: str
) -> None:
    outbox.pending()
    with journal.transaction() as work:
        assert work.hold_news(["web1"], "cpu.percent", START_MS, why) == 3
    assert outbox.pending() == ()
    outbox.release(["n-ops-1"])
    outbox.hold(["n-ops-1"], "hours")
    assert outbox.pending() == ()
    close_alert(journal)
    with journal.transaction() as work:
        assert work.release_held(START_MS + 100, "parent other") == (0, 0)
        assert work.release_held(START_MS + 100, why) == (0, 3)
        assert {(one.state, one.why, one.done_ms) for one in work.notified(["a1"])["a1"]} == {
            ("suppressed", why, START_MS + 100)
        }


def test_the_end_of_an_alert_is_not_held_back_for_a_network(journal: Journal, outbox: JournalOutbox) -> None:
    with journal.transaction() as work:
        work.enqueue([note(3, kind=ChangeKind.CLOSED)])
        work.hold_news(["web1"], "cpu.percent", START_MS, "network")
    assert list(waiting(outbox)) == ["n-ops-3"]


def test_a_message_that_went_out_while_it_was_being_held_back_counts_as_sent(
    journal: Journal, outbox: JournalOutbox, ask: Ask
) -> None:
    outbox.pending()
    with journal.transaction() as work:
        work.hold_news(["web1"], "cpu.percent", START_MS, "network")
    outbox.delivered(message("n-ops-1"))
    assert ask("SELECT id FROM notification WHERE state = 'delivered'") == [("n-ops-1",)]


def test_a_message_recorded_twice_is_there_once(outbox: JournalOutbox, ask: Ask) -> None:
    outbox.delivered(message("n-ops-1"))
    outbox.delivered(message("n-ops-1", sent_ms=START_MS + 9))
    assert ask("SELECT sent_ms, attempts FROM message, notification WHERE message_id = message.id") == [(START_MS, 1)]


def test_digests_do_not_count_against_a_quota_but_are_messages(outbox: JournalOutbox) -> None:
    outbox.delivered(message(number="m0", sent_ms=START_MS - 1))
    outbox.delivered(message("n-ops-1", number="m1", sent_ms=START_MS + 5))
    outbox.delivered(message("n-ops-2", number="m2", sent_ms=START_MS + 7, digest=True))
    assert outbox.sent_since(START_MS) == {"mail": 1}
    assert outbox.last_sent() == {"ops": START_MS + 7}


def test_only_silences_in_force_are_told(outbox: JournalOutbox, path: Path) -> None:
    lasting = Silence("s1", START_MS, START_MS + 100, START_MS, "ops", "cabling", host="lab*")
    alerting.add_silence(path, lasting)
    alerting.add_silence(path, replace(lasting, id="s2", from_ms=START_MS + 50))
    alerting.add_silence(path, replace(lasting, id="s3"))
    assert alerting.end_silence(path, "s3", "net", START_MS + 10)
    assert outbox.silences(START_MS + 20) == (lasting,)
    assert [one.id for one in outbox.silences(START_MS + 50)] == ["s1", "s2"]
    assert outbox.silences(START_MS + 100) == ()


def test_evidence_is_found_by_its_alert_and_the_first_of_each_part_counts(
    journal: Journal, outbox: JournalOutbox
) -> None:
    first = EvidencePart("processes", START_MS, "1 init\n")
    with journal.transaction() as work:
        work.store_evidence("a1", [first, EvidencePart("kernel", START_MS, "")])
        work.store_evidence("a1", [replace(first, text="later")])
        work.store_evidence("a1", [])
    assert outbox.evidence(["a1", "unknown"]) == {"a1": (EvidencePart("kernel", START_MS, ""), first)}


def test_everything_about_an_alert_can_be_listed(journal: Journal, outbox: JournalOutbox) -> None:
    outbox.delivered(message("n-ops-1", sent_ms=START_MS + 5))
    outbox.hold(["n-net-1"], "hours")
    with journal.transaction() as work:
        assert work.notified(["a1", "unknown"]) == {
            "a1": [
                Notice("net", ChangeKind.OPENED, 1, START_MS + 1, "held", why="hours"),
                Notice("ops", ChangeKind.OPENED, 1, START_MS + 1, "delivered", START_MS + 5, channel="mail"),
                Notice("ops", ChangeKind.ROSE, 2, START_MS + 2, "owed"),
            ],
            "unknown": [],
        }


def test_only_one_poller_delivers_at_a_time(journal: Journal) -> None:
    with Journal.open(journal.path, now_ms=START_MS) as other:
        assert len(journal.outbox().pending()) == 3
        assert other.outbox().pending() == ()
        journal.outbox().failed(["n-ops-1"], "no", START_MS, channel="", retry_ms=START_MS)
        journal.outbox().hold(["n-ops-2"], "hours")
        assert other.outbox().pending() == ()
        journal.outbox().close()
        assert len(other.outbox().pending()) == 3
        assert journal.outbox().pending() == ()


def test_the_next_poller_may_deliver_when_nothing_is_left_to_do(journal: Journal) -> None:
    with Journal.open(journal.path, now_ms=START_MS) as other:
        journal.outbox().pending()
        journal.outbox().delivered(message("n-ops-1"))
        journal.outbox().suppress(["n-ops-2"], "short", START_MS)
        assert other.outbox().pending() == ()
        journal.outbox().failed(["n-net-1"], "550", START_MS, channel="", retry_ms=None)
        assert other.outbox().pending() == ()
        with other.transaction() as work:
            work.enqueue([note(9)])
        assert len(other.outbox().pending()) == 1
    assert views.backlog(journal.path) == views.Backlog(1, START_MS + 9, 0)

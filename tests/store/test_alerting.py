"""What people see of alerts at the command line, and what they may say about them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.errors import StoreError, UsageError
from poller.model import (
    Acknowledgement,
    Alert,
    Change,
    ChangeKind,
    Comparison,
    EvidencePart,
    LimitState,
    Notification,
    Severity,
    Silence,
)
from poller.store import Journal, Notice, alerting
from tests.store.conftest import Ask, message
from tests.store.machines import START_MS, poll, values

MINUTE = 60_000
OPEN = Alert("a1", "web1", "cpu.percent", (), Severity.HIGH, 97.0, "> 90", START_MS, START_MS, START_MS)
FRESH = replace(OPEN, id="a2", metric="disk.percent", labels=(("mountpoint", "/"),), opened_ms=START_MS + 5 * MINUTE)
OVER = replace(OPEN, id="a0", opened_ms=START_MS - MINUTE, closed_ms=START_MS + 2 * MINUTE, reason="over")
TAKEN = Acknowledgement("k1", "a1", START_MS + MINUTE, "ops", "new disk ordered", START_MS + 9 * MINUTE)
QUIET = Silence("s1", START_MS, START_MS + MINUTE, START_MS - 1, "ops", "cabling", "lab*", "host.*", "*")


@pytest.fixture(autouse=True)
def journal(path: Path) -> Iterator[Journal]:
    with Journal.open(path, now_ms=START_MS) as opened:
        with opened.transaction() as work:
            for minute in (1, 2, 3):
                work.store_poll(poll("web1", minute), values(minute))
            changes = (Change(ChangeKind.CLOSED, OVER, ""), Change(ChangeKind.OPENED, OPEN, ""))
            work.store_comparison("web1", Comparison((), (OPEN, FRESH), changes))
        yield opened


def found(path: Path, **more: int | bool) -> dict[str, alerting.AlertStatus]:
    listed = alerting.alerts(path, now_ms=START_MS + 2 * MINUTE, **more)  # type: ignore[arg-type]
    return {one.alert.id: one for one in listed}


def test_open_alerts_are_listed_oldest_first_and_what_is_over_when_everything_is_asked_for(path: Path) -> None:
    assert list(found(path)) == ["a1", "a2"]
    assert list(found(path, everything=True)) == ["a0", "a1", "a2"]
    assert found(path)["a1"] == alerting.AlertStatus(OPEN, None, 0, MINUTE, ())


def test_since_a_time_means_opened_since_and_with_everything_open_at_any_time_since(path: Path) -> None:
    assert list(found(path, since_ms=START_MS + MINUTE)) == ["a2"]
    assert list(found(path, since_ms=START_MS + MINUTE, everything=True)) == ["a0", "a1", "a2"]
    assert list(found(path, since_ms=START_MS + 3 * MINUTE, everything=True)) == ["a1", "a2"]


def test_an_alert_says_what_was_told_of_it_and_why_the_rest_was_not(journal: Journal, path: Path) -> None:
    notes = [Notification(f"n{i}", OPEN, ChangeKind.OPENED, who, 1, START_MS + i)
             for i, who in enumerate(("ops", "net", "boss", "mailto:a@example.org", "owed"))]  # fmt: skip
    with journal.transaction() as work:
        work.enqueue(notes)
        work.store_evidence("a1", [EvidencePart("sockets", START_MS, "")])
    outbox = journal.outbox()
    outbox.delivered(message("n0"))
    outbox.hold(["n1"], "hours")
    outbox.suppress(["n2"], "short", START_MS)
    outbox.failed(["n3"], "550 no such user", START_MS, channel="mail", retry_ms=None)
    status = found(path)["a1"]
    assert (status.notifications, status.untold) == (1, ("550 no such user", "hours", "short"))
    assert status.evidence == ("sockets",)
    assert alerting.evidence(path, "a1") == (EvidencePart("sockets", START_MS, ""),)
    assert alerting.evidence(path, "a2") == ()
    told = alerting.notifications(path, "a1")
    assert told[0] == Notice("ops", ChangeKind.OPENED, 1, START_MS, "delivered", START_MS, channel="mail")
    assert [one.state for one in told] == ["delivered", "held", "suppressed", "failed", "owed"]


def test_an_acknowledgement_holds_until_its_time_or_the_end_of_the_alert(journal: Journal, path: Path) -> None:
    alerting.acknowledge(path, TAKEN)
    assert found(path)["a1"].acknowledgement == TAKEN
    with journal.transaction() as work:
        assert work.acknowledged(START_MS + 9 * MINUTE - 1) == {"a1"}
        assert work.acknowledged(START_MS + 9 * MINUTE) == set()
    (late, _) = alerting.alerts(path, now_ms=START_MS + 9 * MINUTE)
    assert late.acknowledgement is None
    closed = replace(OPEN, closed_ms=START_MS + 3 * MINUTE)
    with journal.transaction() as work:
        work.store_comparison("web1", Comparison((), (FRESH,), (Change(ChangeKind.CLOSED, closed, ""),)))
        assert work.acknowledged(START_MS + 2 * MINUTE) == set()
    assert found(path, everything=True)["a1"].acknowledgement is None


def test_a_new_acknowledgement_takes_the_place_of_the_one_before_which_stays_on_record(path: Path, ask: Ask) -> None:
    alerting.acknowledge(path, TAKEN)
    later = replace(TAKEN, id="k2", at_ms=START_MS + 2 * MINUTE, author="net", until_ms=None)
    alerting.acknowledge(path, later)
    assert found(path)["a1"].acknowledgement == later
    assert ask("SELECT author, comment, ended_by, ended_ms FROM acknowledgements ORDER BY id") == [
        ("ops", "new disk ordered", "net", START_MS + 2 * MINUTE), ("net", "new disk ordered", "", None),
    ]  # fmt: skip
    assert alerting.end_acknowledgement(path, "a1", "boss", START_MS + 3 * MINUTE)
    assert not alerting.end_acknowledgement(path, "a1", "boss", START_MS + 4 * MINUTE)
    assert found(path)["a1"].acknowledgement is None
    assert ask("SELECT ended_by FROM acknowledgement ORDER BY id") == [("net",), ("boss",)]


@pytest.mark.parametrize(("alert_id", "sentence"), [("a0", "it is over"), ("nothing", "there is no alert nothing")])
def test_only_what_is_open_can_be_acknowledged(path: Path, ask: Ask, alert_id: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        alerting.acknowledge(path, replace(TAKEN, alert_id=alert_id))
    assert ask("SELECT COUNT(*) FROM acknowledgement") == [(0,)]


def test_the_view_of_alerts_says_who_flaps_and_who_is_taken_care_of(journal: Journal, path: Path, ask: Ask) -> None:
    with journal.transaction() as work:
        work.store_comparison("web1", Comparison((), (OPEN, replace(FRESH, flapping=True))))
    alerting.acknowledge(path, replace(TAKEN, until_ms=None))
    assert ask("SELECT id, flapping, acknowledged FROM alerts ORDER BY id") == [
        ("a0", 0, 0), ("a1", 0, 1), ("a2", 1, 0),
    ]  # fmt: skip


def test_silences_that_are_over_or_lifted_are_only_listed_with_everything(path: Path, ask: Ask) -> None:
    for number, begin in (("s1", 0), ("s2", 10), ("s3", 20)):
        span = {"from_ms": START_MS + begin * MINUTE, "until_ms": START_MS + (begin + 5) * MINUTE}
        alerting.add_silence(path, replace(QUIET, id=number, **span))  # type: ignore[arg-type]
    assert alerting.end_silence(path, "s3", "net", START_MS + 6 * MINUTE)
    assert not alerting.end_silence(path, "s3", "net", START_MS + 6 * MINUTE)
    assert not alerting.end_silence(path, "s1", "net", START_MS + 6 * MINUTE)
    assert [one.id for one in alerting.silences(path, START_MS + 6 * MINUTE)] == ["s2"]
    listed = alerting.silences(path, START_MS + 6 * MINUTE, everything=True)
    assert [(one.id, one.ended_by, one.ended_ms) for one in listed] == [
        ("s1", "", None), ("s2", "", None), ("s3", "net", START_MS + 6 * MINUTE),
    ]  # fmt: skip
    assert listed[0] == replace(QUIET, until_ms=START_MS + 5 * MINUTE)
    assert ask("SELECT host, metric, label, begins, author FROM silences LIMIT 1") == [
        ("lab*", "host.*", "*", "2025-10-09 08:53:20", "ops")
    ]


def test_limits_that_do_not_count_yet_are_listed(journal: Journal, path: Path) -> None:
    counting = LimitState("load.1m", (), "above 9 low", START_MS, 2, active=False, seen_ms=START_MS + 7)
    with journal.transaction() as work:
        work.store_comparison("web1", Comparison((counting, replace(counting, key="x", active=True)), (OPEN, FRESH)))
    assert alerting.pending(path) == [
        alerting.Counting("web1", "load.1m", (), "above 9 low", START_MS, 2, START_MS + 7)
    ]


def test_foreign_text_is_kept_as_it_was_typed(path: Path) -> None:
    words = "it's \x1b[31m 'quoted'; DROP TABLE alert; -- 😀 \udcff"
    alerting.acknowledge(path, replace(TAKEN, comment=words))
    taken = found(path)["a1"].acknowledgement
    assert taken is not None
    assert taken.comment == words.replace("\udcff", "\\udcff")


def test_a_journal_is_not_made_by_looking_or_writing(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "poller.db"
    for act in (lambda: alerting.alerts(missing), lambda: alerting.acknowledge(missing, TAKEN)):
        with pytest.raises(StoreError, match="there is no database yet"):
            act()
    assert not missing.exists()


def test_people_may_speak_while_a_poller_is_at_work(journal: Journal, path: Path) -> None:
    """They wait for its transaction, and it for theirs."""
    with journal.transaction() as work:
        speaking = threading.Thread(target=alerting.acknowledge, args=(path, TAKEN))
        speaking.start()
        work.store_poll(poll("web1", 4), values(4))
        assert list(found(path)) == ["a1", "a2"]
    speaking.join(20)
    assert not speaking.is_alive()
    assert found(path)["a1"].acknowledgement == TAKEN


def test_gaps_are_the_median_between_polls_whatever_a_single_one_was(journal: Journal) -> None:
    with journal.transaction() as work:
        for minute in (4, 5, 6, 66, 67):
            work.store_poll(poll("web1", minute), ())
        work.store_poll(poll("once"), ())
        for number in range(3):
            work.begin_round(f"r{number}", "full", START_MS + number * 5 * MINUTE, 1)
            work.begin_round(f"s{number}", "selected", START_MS + number * 7, 1)
        assert work.gaps() == {"web1": MINUTE, "poller": 5 * MINUTE}
        assert work.alert_memory("web1").gap_ms == MINUTE
        assert work.alert_memory("poller").gap_ms == 5 * MINUTE
        assert work.alert_memory("once").gap_ms == 0


def test_what_is_open_is_known_before_the_next_poll(journal: Journal) -> None:
    opened = frozenset({("cpu.percent", ()), ("disk.percent", (("mountpoint", "/"),))})
    assert {name: before.open for name, before in journal.before(["web1", "new"]).items()} == {
        "web1": opened, "new": frozenset(),
    }  # fmt: skip
    with journal.transaction() as work:
        assert work.before("web1").open == opened
        assert {alert.id for alert in work.open_alerts()} == {"a1", "a2"}

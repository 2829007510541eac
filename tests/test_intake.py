"""A finished poll: stored wholly, with what follows from it, and never at the cost of another host's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.intake import Intake
from poller.model import Config, EvidencePart, Hold, Host, Ping, Poll, PollOutcome, Severity, Threshold
from poller.store import Journal
from tests.store.machines import START_MS, failed
from tests.store.machines import poll as poll_of

LIMIT = Threshold(metric="memory.percent", above=0.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "poller.db", now_ms=START_MS) as opened:
        yield opened


def intake(journal: Journal, *, keep: bool = True) -> Intake:
    hosts = tuple(Host(name=name, address="192.0.2.1", thresholds=(LIMIT,)) for name in ("web1", "web2"))
    config = Config(path=journal.path, journal=journal.path, hosts=hosts)
    return Intake(journal, config, "round", keep=keep)


def watching(journal: Journal, *thresholds: Threshold, name: str = "web1") -> Intake:
    """Intake for one host that is judged by these."""
    host = Host(name=name, address="192.0.2.1", thresholds=thresholds)
    return Intake(journal, Config(path=journal.path, journal=journal.path, hosts=(host,)), "round", keep=True)


def news(work: Intake, poll: Poll) -> list[tuple[str, str, str]]:
    """(kind, metric, reason) of what a poll changed."""
    (taken,) = work.take([poll])
    return [(str(change.kind), change.alert.metric, change.reason) for change in taken.changes]


def unstorable(poll: Poll) -> Poll:
    """A report with a number that no column can hold. The schema would refuse it: it stands for a fault of ours."""
    assert poll.report
    (reading,) = poll.report.readings
    rows = tuple(replace(section, seconds=2**70) for section in reading.sections)
    return replace(poll, report=replace(poll.report, readings=(replace(reading, clock=2**70, sections=rows),)))


def test_a_poll_that_cannot_be_stored_is_kept_as_failed_and_holds_up_nobody(journal: Journal) -> None:
    good, bad = poll_of("web1"), unstorable(poll_of("web2"))
    first, second = intake(journal).take([bad, good])
    assert (first.poll.outcome, first.poll.stage, first.poll.code) == ("failed", "report", "internal")
    assert second.poll.outcome == "ok"
    with journal.transaction() as work:
        assert work.before("web1").reading is not None
        assert work.before("web2").reading is None


def test_the_same_poll_taken_twice_counts_once(journal: Journal) -> None:
    poll = poll_of("web1")
    (first,) = intake(journal).take([poll])
    assert [change.kind for change in first.changes] == ["opened"]
    intake(journal).take([poll])
    with journal.transaction() as work:
        assert len(work.alert_memory("web1").open) == 1
        (state,) = work.alert_memory("web1").states
    assert state.polls == 1


def test_a_dry_run_judges_and_keeps_nothing(journal: Journal) -> None:
    (taken,) = intake(journal, keep=False).take([poll_of("web1")])
    assert [change.kind for change in taken.changes] == ["opened"]
    with journal.transaction() as work:
        assert work.alert_memory("web1").open == ()
        assert work.before("web1").reading is None


SECURITY = Threshold(metric="host.security", above=0.0, severity=Severity.HIGH)


def test_a_poll_that_somebody_may_have_meddled_with_is_a_high_alert_at_once_until_a_report_comes(
    journal: Journal,
) -> None:
    host = Host(name="web1", address="192.0.2.1", thresholds=(SECURITY,))
    work = Intake(journal, Config(path=journal.path, journal=journal.path, hosts=(host,)), "round", keep=True)

    def changes(poll: Poll) -> list[tuple[str, str, str]]:
        (taken,) = work.take([poll])
        return [(str(change.kind), str(change.alert.severity), change.reason) for change in taken.changes]

    changed = failed("web1", 1, "hostkey", "changed", security=True)
    assert changes(changed) == [("opened", "high", f"hostkey/changed: {changed.error}")]
    assert changes(failed("web1", 2, "hostkey", "changed", security=True)) == []
    assert changes(failed("web1", 3, "connect", "timeout")) == [], "a host that is away is no proof of anything"
    assert changes(poll_of("web1", 4)) == [("closed", "high", "back to 0, at 0")]


DOWN = Threshold(metric="host.down", above=0.0, hold=Hold(polls=2), severity=Severity.HIGH)
LOSS = Threshold(metric="ping.loss_percent", above=50.0)


def pinged(minute: int, received: int) -> Poll:
    """A poll of a host that has no SSH."""
    ping = Ping("192.0.2.1", 3, received, 0.0012 if received else None)
    if received:
        ended = failed("sw1", minute)
        return replace(ended, outcome=PollOutcome.OK, stage="", code="", error="", hint="", ping=ping)
    return replace(failed("sw1", minute, "ping", "timeout"), ping=ping)


def test_a_host_that_is_only_pinged_goes_down_and_comes_back_the_same_way(journal: Journal) -> None:
    work = watching(journal, DOWN, LOSS, name="sw1")
    assert news(work, pinged(1, 3)) == []
    assert news(work, pinged(2, 0)) == [("opened", "ping.loss_percent", "100.0 > 50")]
    error = pinged(3, 0).error
    assert news(work, pinged(3, 0)) == [("opened", "host.down", f"ping/timeout: {error}")]
    assert sorted(news(work, pinged(4, 2))) == [
        ("closed", "host.down", "back to 0, at 0"),
        ("closed", "ping.loss_percent", "back to 33.3, under 50"),
    ]


def test_a_poll_that_was_not_pinged_says_nothing_about_loss(journal: Journal) -> None:
    work = watching(journal, LOSS, name="sw1")
    assert len(news(work, pinged(1, 0))) == 1
    assert news(work, failed("sw1", 2)) == []
    with journal.transaction() as inside:
        assert [alert.metric for alert in inside.alert_memory("sw1").open] == ["ping.loss_percent"]


PROOF = (EvidencePart("processes", 0, "812 root 97.0 make"),)


def kept_evidence(journal: Journal) -> list[tuple[str, str]]:
    rows = journal._connection.execute("SELECT alert.metric, content FROM evidence JOIN alert ON alert.id = alert_id")
    return sorted(rows.fetchall())


def test_evidence_goes_to_the_alerts_that_begin_and_ask_for_it(journal: Journal) -> None:
    asking = replace(LIMIT, evidence=True)
    work = watching(journal, asking, Threshold(metric="load.1m", above=0.0))
    first = replace(poll_of("web1"), evidence=PROOF)
    assert len(news(work, first)) == 2
    assert kept_evidence(journal) == [("memory.percent", "812 root 97.0 make")]
    later = (EvidencePart("processes", 60_000, "quiet"),)
    assert news(work, replace(poll_of("web1", 2), evidence=later)) == []
    assert kept_evidence(journal) == [("memory.percent", "812 root 97.0 make")]


def test_a_hold_starts_anew_after_a_day_without_the_poller(journal: Journal) -> None:
    work = watching(journal, replace(LIMIT, hold=Hold(polls=3)))
    minutes = (1, 2, 1442, 1443)
    assert [news(work, poll_of("web1", minute)) for minute in minutes] == [[]] * 4
    assert [kind for kind, _, _ in news(work, poll_of("web1", 1444))] == ["opened"]


def test_what_flaps_is_told_once_and_stays_open(journal: Journal) -> None:
    work = watching(journal, replace(DOWN, hold=Hold()))
    told = []
    for minute in range(1, 41):
        told += news(work, failed("web1", minute) if minute % 2 else poll_of("web1", minute))
    assert [kind for kind, _, _ in told] == ["opened", "closed", "opened", "closed", "opened", "flapping"]
    with journal.transaction() as inside:
        (alert,) = inside.alert_memory("web1").open
    assert alert.flapping
    calm = [news(work, poll_of("web1", minute)) for minute in range(41, 61)]
    assert [change for changes in calm for change in changes] == [
        ("closed", "host.down", "steady again: back to 0, at 0")
    ]


def test_an_alert_that_begins_by_flapping_says_what_failed_and_how_often(journal: Journal) -> None:
    work = watching(journal, replace(DOWN, hold=Hold()))
    told = []
    for minute in range(1, 21):
        away = minute in (1, 9, 18, 20)
        told += news(work, failed("web1", minute, "connect", "refused") if away else poll_of("web1", minute))
    assert [kind for kind, _, _ in told] == ["opened", "closed"] * 3 + ["flapping"]
    error = failed("web1", 20, "connect", "refused").error
    assert told[-1][2] == f"connect/refused: {error} (flapping, 7 changes in 20 polls: 1 > 0)"


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for what is drawn at random."""
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            cursor = connection.execute(f"SELECT * FROM {table}")
            random = {"alert": {"id"}, "event": {"id"}, "notification": {"id", "alert_id"}}.get(table, set())
            places = [place for place, column in enumerate(cursor.description) if column[0] not in random]
            found[table] = sorted((tuple(row[place] for place in places) for row in cursor), key=repr)
    return {table: rows for table, rows in found.items() if table not in ("migration", "housekeeping")}


def test_a_batch_stores_what_its_polls_would_store_one_by_one(tmp_path: Path) -> None:
    polls = [poll_of(host, minute) for minute in (1, 2, 3) for host in ("web1", "web2")]
    polls[2:2] = [failed("web2", 2), unstorable(poll_of("web1", 2, number=7))]
    (together := tmp_path / "together").mkdir()
    (single := tmp_path / "single").mkdir()
    with Journal.open(together / "poller.db", now_ms=START_MS, stays=True) as journal:
        work = intake(journal)
        for batch in (polls[:1], polls[1:2], polls[2:4], polls[4:]):  # the last has each host twice
            work.take(batch)
    with Journal.open(single / "poller.db", now_ms=START_MS) as journal:
        for poll in polls:
            intake(journal).take([poll])
    assert everything(together / "poller.db") == everything(single / "poller.db")

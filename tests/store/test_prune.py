"""History is cut where `<retention>` says; what is still needed stays, however old."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poller.metrics import columns
from poller.model import (
    Acknowledgement,
    Alert,
    Change,
    ChangeKind,
    Comparison,
    Event,
    EvidencePart,
    Flap,
    LimitState,
    Notification,
    Retention,
    Severity,
    Silence,
)
from poller.store import Journal, alerting
from poller.store.aging import SAMPLES
from poller.store.database import reading
from poller.store.prune import Pruned, prune
from tests.store.conftest import Ask, message
from tests.store.machines import CORES, START_MS, poll, values
from tests.store.watching import everything

SERIES = columns("series_sample")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOW_MS = START_MS + 100 * DAY_MS


def at(days_ago: float) -> int:
    return int(NOW_MS - days_ago * DAY_MS)


def store(journal: Journal, host: str, *days_ago: float) -> None:
    with journal.transaction() as work:
        for age in days_ago:
            one = replace(poll(host), id=f"{host}-{age}", at_ms=at(age))
            work.store_poll(one, values(1))


def counts(ask: Ask, *tables: str) -> list[int]:
    return [ask(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables]


def test_each_kind_of_history_has_its_own_length(journal: Journal, ask: Ask) -> None:
    store(journal, "web1", 95, 89, 15, 13, 3, 1)
    pruned = journal.prune(Retention(), NOW_MS)
    assert counts(ask, "poll", "system_sample", "filesystem_sample", "core_sample") == [5, 3, 9, len(CORES)]
    assert pruned.rows["poll"] == 1
    assert pruned.rows["core_sample"] == 5 * len(CORES)
    assert counts(ask, "core", "filesystem", "host_latest", "host_memory") == [8, 3, 1, 1]
    assert journal.prune(Retention(), NOW_MS) == Pruned(dict.fromkeys(pruned.rows, 0), 0)


def watch(journal: Journal, host: str, *days_ago: float) -> None:
    for number, age in enumerate(days_ago, 1):
        one, findings = everything(host, number)
        with journal.transaction() as work:
            work.store_poll(replace(one, at_ms=at(age)), values(1), None, findings)


def test_what_is_watched_is_kept_as_long_as_its_attribute_says(journal: Journal, ask: Ask) -> None:
    watch(journal, "web1", 800, 95, 32, 31, 8, 6, 1)
    journal.prune(Retention(), NOW_MS)
    oldest = {
        "process_sample": "at_ms", "series_sample": "at_ms", "activity_sample": "at_ms", "peer_sample": "at_ms",
        "connection": "gone_ms", "log_line": "seen_ms", "peer_day": "updated_ms", "mount": "gone_ms",
        "listener": "gone_ms",
    }  # fmt: skip
    days = {table: ask(f"SELECT MIN({time}) FROM {table}")[0][0] for table, time in oldest.items()}
    assert {table: round((NOW_MS - first) / DAY_MS) for table, first in days.items() if first} == {
        "process_sample": 8, "series_sample": 8, "activity_sample": 8, "peer_sample": 6, "connection": 6,
        "log_line": 8, "peer_day": 32, "listener": 95,
    }  # fmt: skip
    assert ask("SELECT COUNT(*) FROM mount WHERE gone_ms IS NULL") == [(3,)], "what is there stays, however long"


def test_things_that_nobody_names_any_more_go_after_what_belongs_to_them(journal: Journal, ask: Ask) -> None:
    watch(journal, "web1", 95)
    store(journal, "web1", 1)
    journal.prune(Retention(), NOW_MS)
    assert counts(ask, "peer", "peer_day", "series", "unit", "service_check", "log_source", "log_cursor") == [
        0, 0, len(SERIES), 0, 0, 0, 1,
    ]  # fmt: skip
    assert ask("SELECT name FROM log_cursor") == [("kernel",)], "the kernel's log goes on where it was"


def test_where_a_log_goes_on_is_not_forgotten_while_its_host_is_away(journal: Journal, ask: Ask) -> None:
    watch(journal, "web1", 95)
    journal.prune(Retention(), NOW_MS)
    assert counts(ask, "log_source", "log_cursor") == [1, 2]


def test_a_dry_run_counts_the_same_and_deletes_nothing(journal: Journal, ask: Ask, path: Path) -> None:
    store(journal, "web1", 95, 30, 1)
    watch(journal, "web2", 95, 32, 8, 1)
    journal.roll_up(Retention(), NOW_MS)
    with reading(path) as connection:
        counted = prune(connection, Retention(), NOW_MS, dry=True)
    assert counts(ask, "poll") == [7]
    assert counted.rows == journal.prune(Retention(), NOW_MS).rows
    assert sum(counted.rows.values()) > 0


def test_things_not_seen_for_long_go_after_their_samples_and_come_back_as_new(journal: Journal, ask: Ask) -> None:
    store(journal, "web1", 95)
    store(journal, "web2", 1)
    journal.prune(Retention(), NOW_MS)
    assert ask("SELECT DISTINCT name FROM core JOIN host ON host.id = host_id") == [("web2",)]
    assert counts(ask, "host") == [2]
    store(journal, "web1", 0)
    assert ask("SELECT COUNT(*) FROM core WHERE first_seen_ms = ?", at(0)) == [(8,)]


def alert(number: str, days_ago: float, *, closed: bool) -> Alert:
    opened = Alert(
        number, "web1", f"metric.{number}", (), Severity.LOW, 1.0, "> 0", at(days_ago), at(days_ago), at(days_ago)
    )
    return replace(opened, closed_ms=at(days_ago), reason="over") if closed else opened


def test_open_alerts_and_messages_owed_are_kept_however_old(journal: Journal, ask: Ask) -> None:
    store(journal, "web1", 1)
    alerts = [alert("closed", 800, closed=True), alert("open", 800, closed=False), alert("owed", 800, closed=True),
              alert("recent", 700, closed=True)]  # fmt: skip
    with journal.transaction() as work:
        opened = tuple(one for one in alerts if one.closed_ms is None)
        work.store_comparison(
            "web1", Comparison((), opened, tuple(Change(ChangeKind.CLOSED, one, "") for one in alerts))
        )
        work.enqueue([Notification(f"n-{one.id}", one, ChangeKind.OPENED, "ops", 1, at(800)) for one in alerts])
        work.store_events("web1", [Event("odd", at(800), Severity.LOW, ""), Event("odd", at(700), Severity.LOW, "")])
    journal.outbox().delivered(message("n-closed", "n-open", "n-recent", sent_ms=NOW_MS))
    journal.prune(Retention(), NOW_MS)
    assert ask("SELECT id FROM alert ORDER BY id") == [("open",), ("owed",), ("recent",)]
    assert ask("SELECT id FROM notification ORDER BY id") == [("n-open",), ("n-owed",), ("n-recent",)]
    assert ask("SELECT at_ms FROM event WHERE kind = 'odd'") == [(at(700),)]


def test_what_was_told_and_said_goes_with_its_alert_and_the_rest_by_the_age_of_events(
    journal: Journal, path: Path, ask: Ask
) -> None:
    store(journal, "web1", 1)
    opened, recent = alert("old", 800, closed=False), alert("recent", 700, closed=True)
    with journal.transaction() as work:
        changes = tuple(Change(ChangeKind.OPENED, one, "") for one in (opened, recent))
        work.store_comparison("web1", Comparison((), (opened,), changes))
        for one in (opened, recent):
            work.enqueue([Notification(f"n-{one.id}", one, ChangeKind.OPENED, "ops", 1, at(800))])
            work.store_evidence(one.id, [EvidencePart("kernel", at(800), "")])
    alerting.acknowledge(path, Acknowledgement("k", "old", at(800), "ops", ""))
    for days in (800, 729):
        journal.outbox().delivered(
            message(f"n-{'old' if days == 800 else 'recent'}", number=f"m{days}", sent_ms=at(days))
        )
        alerting.add_silence(path, Silence(f"s{days}", at(900), at(days), at(900), "ops", ""))
    journal.prune(Retention(), NOW_MS)
    assert ask("SELECT alert_id FROM evidence ORDER BY 1") == [("old",), ("recent",)]
    with journal.transaction() as work:
        over = replace(opened, closed_ms=at(799))
        work.store_comparison("web1", Comparison((), (), (Change(ChangeKind.CLOSED, over, ""),)))
    journal.prune(Retention(), NOW_MS)
    assert ask("SELECT alert_id FROM evidence") == [("recent",)]
    assert ask("SELECT id FROM acknowledgement") == []
    assert ask("SELECT id FROM notification") == [("n-recent",)]
    assert ask("SELECT id FROM silence") == [("s729",)]
    assert ask("SELECT id FROM message") == [("m729",)]


def test_what_was_counted_for_a_host_that_is_polled_no_more_is_forgotten(journal: Journal, ask: Ask) -> None:
    state = LimitState("cpu.percent", (), "above 80 high", 1, 1, active=False)
    for host, age in (("web1", 20), ("web2", 1)):
        store(journal, host, age)
        with journal.transaction() as work:
            work.store_comparison(host, Comparison((state,), flaps=(Flap("cpu.percent", (), 1),)))
    journal.prune(Retention(), NOW_MS)
    assert ask("SELECT name FROM flap_state JOIN host ON host.id = host_id") == [("web2",)]
    assert ask("SELECT name FROM limit_state JOIN host ON host.id = host_id") == [("web2",)]


def test_space_goes_back_to_the_disk_and_the_log_is_emptied(journal: Journal, path: Path) -> None:
    for start in range(0, 400, 50):
        store(journal, "web1", *(95 + age / 1000 for age in range(start, start + 50)))
    pruned = journal.prune(Retention(), NOW_MS)
    assert pruned.freed_bytes > 1_000_000
    assert path.stat().st_size < 800_000
    assert path.with_name("poller.db-wal").stat().st_size == 0


@pytest.mark.parametrize(("now_ms", "due"), [(NOW_MS + HOUR_MS - 1, False), (NOW_MS + HOUR_MS, True), (at(1), True)])
def test_pruning_is_due_once_an_hour_also_when_the_clock_was_set_back(journal: Journal, now_ms: int, due: bool) -> None:
    assert journal.prune_due(NOW_MS, HOUR_MS)
    journal.prune(Retention(), NOW_MS)
    assert journal.prune_due(now_ms, HOUR_MS) is due


def test_a_clock_that_is_ten_years_ahead_for_a_while_costs_no_history(journal: Journal) -> None:
    ahead = NOW_MS + 3650 * 24 * HOUR_MS
    journal.prune(Retention(), NOW_MS)
    assert [journal.prune_due(now_ms, HOUR_MS) for now_ms in (ahead, ahead + HOUR_MS - 1)] == [False, False]
    assert journal.prune_due(NOW_MS + HOUR_MS, HOUR_MS), "right again, it goes on as before"
    assert journal.prune_due(ahead + HOUR_MS, HOUR_MS), "still so after an hour: then it is the time"


def test_what_was_first_seen_while_the_clock_was_far_ahead_is_kept_no_longer_than_anything(
    journal: Journal, ask: Ask
) -> None:
    watch(journal, "web1", -3650, *(days / 2 for days in range(40, 0, -1)))
    store(journal, "web2", -3650, *(days / 2 for days in range(40, 0, -1)))
    journal.prune(Retention(), NOW_MS)
    days = dict.fromkeys(SAMPLES, 14) | {"core_sample": 2, "peer_sample": 7}
    oldest = {table: ask(f"SELECT MIN(at_ms), COUNT(*) FROM {table}")[0] for table in SAMPLES}
    assert {table for table, (_, count) in oldest.items() if not count} == set()
    assert {table: first for table, (first, _) in oldest.items() if first < at(days[table])} == {}


def test_a_reader_does_not_hold_pruning_up(journal: Journal, path: Path) -> None:
    store(journal, "web1", 95, 94, 1)
    with reading(path) as connection:
        cursor = connection.execute("SELECT * FROM poll")
        cursor.fetchone()
        assert journal.prune(Retention(), NOW_MS).rows["poll"] == 2
        assert len(cursor.fetchall()) == 2

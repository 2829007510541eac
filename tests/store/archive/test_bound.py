"""While the archive is away the journal stays below its bound: the oldest samples go first, and that is on record."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import Event, Retention, Severity
from poller.store import Journal, views
from poller.store.archive import Shipped, roll_up_archive, ship, trim
from poller.store.archive.bound import drop_oldest, used_bytes
from poller.store.lock import SHIPPING, LockFile
from poller.store.prune import prune
from tests.store.archive.conftest import BOUND, asked, sqlite_settings, store
from tests.store.archive.test_shipping import alert, open_alert
from tests.store.conftest import Ask
from tests.store.machines import START_MS, failed, poll, values

NOW_MS = START_MS + 3 * 3_600_000
DAY_MS = 86_400_000
MINUTES = 150


@pytest.fixture
def full(journal: Journal) -> Journal:
    """Some hours of two hosts, none of it in an archive."""
    with journal.transaction() as work:
        for minute in range(1, MINUTES + 1):
            for host in ("web1", "web2"):
                work.store_poll(poll(host, minute), values(minute))
        work.store_events("", [Event("clock_step", START_MS, Severity.LOW, "3 s")])
        work.store_poll(failed("web2", MINUTES + 1), ())
    open_alert(journal, alert("web1"))
    return journal


def test_the_oldest_samples_go_and_the_gap_is_told(full: Journal, ask: Ask) -> None:
    used = used_bytes(full.queue().connection)
    bound = int(used * 0.8)
    dropped = drop_oldest(full, bound, NOW_MS)
    assert 10 < dropped < 2 * MINUTES
    assert bound * 0.8 < used_bytes(full.queue().connection) <= bound * 0.95
    assert ask("SELECT COUNT(*) FROM poll") == [(2 * MINUTES + 1,)]
    ((kind, severity, details, host),) = ask("SELECT kind, severity, details, host_id FROM event WHERE kind = 'gap'")
    assert (kind, severity, host) == ("gap", "high", None)
    assert f"samples of {dropped} polls from 2025-10-09 08:54:20 UTC to " in details
    ((first,),) = ask("SELECT MIN(at_ms) FROM system_sample")
    assert ask(f"SELECT COUNT(*) FROM poll WHERE at_ms < {first}") == [(dropped,)]
    assert ask("SELECT COUNT(*) FROM core_sample WHERE at_ms < ?", first) == [(0,)]


def test_pages_go_back_to_the_disk(full: Journal, path: Path) -> None:
    full.close()
    before = path.stat().st_size
    with Journal.open(path, now_ms=START_MS) as journal:
        drop_oldest(journal, before // 2, NOW_MS)
        assert path.stat().st_size <= before // 2 + 4096 * 4


def test_below_the_bound_nothing_is_touched(full: Journal, ask: Ask) -> None:
    assert drop_oldest(full, BOUND, NOW_MS) == 0
    assert ask("SELECT COUNT(*) FROM event WHERE kind = 'gap'") == [(0,)]


def test_what_the_archive_has_goes_first_and_is_no_gap(full: Journal, tmp_path: Path, ask: Ask) -> None:
    assert ship(full, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: NOW_MS).waiting == 0
    store(full, "web1", MINUTES + 2)
    bound = int(used_bytes(full.queue().connection) * 0.7)
    assert drop_oldest(full, bound, NOW_MS) == 0
    assert used_bytes(full.queue().connection) <= bound
    assert ask("SELECT COUNT(*) FROM event WHERE kind = 'gap'") == [(0,)]
    assert ask("SELECT at_ms FROM system_sample WHERE host_id = 1") == [(poll("web1", MINUTES + 2).at_ms,)]


def test_a_bound_that_is_far_too_small_takes_all_but_what_is_needed(full: Journal, path: Path, ask: Ask) -> None:
    drop_oldest(full, 1, NOW_MS)
    assert ask("SELECT COUNT(*) FROM poll") == ask("SELECT COUNT(*) FROM outgoing WHERE kind = 'poll'") == [(0,)]
    assert [text for (text,) in ask("SELECT kind FROM event ORDER BY at_ms")] == ["gap", "gap", "gap"]
    assert ask("SELECT at_ms FROM system_sample") == [(poll("web1", MINUTES).at_ms,)] * 2
    assert ask("SELECT COUNT(*) FROM alert JOIN notification ON alert_id = alert.id") == [(1,)]
    assert len(views.latest(path, "web1")) > 100
    assert [host.failures for host in views.hosts(path)] == [0, 1]


def test_the_gap_arrives_in_the_archive_with_what_is_left(full: Journal, tmp_path: Path, ask: Ask) -> None:
    gone = replace(sqlite_settings(tmp_path), path=tmp_path / "missing" / "archive.db")
    bound = int(used_bytes(full.queue().connection) * 0.7)
    shipped = ship(full, gone, bound, threading.Event(), lambda: NOW_MS)
    assert shipped.away is not None
    assert shipped.dropped > 0
    assert shipped.waiting == 2 * MINUTES + 1
    settings = sqlite_settings(tmp_path)
    back = ship(full, settings, bound, threading.Event(), lambda: NOW_MS)
    assert back == Shipped(polls=2 * MINUTES + 1, rows=back.rows)
    assert asked(settings, "SELECT kind FROM event WHERE kind = 'gap'") == [("gap",)]
    sql = "SELECT COUNT(*) FROM core_sample"
    assert asked(settings, sql) == ask(sql)


def test_history_that_was_not_copied_is_not_given_up_for_the_bound(path: Path, ask: Ask) -> None:
    with Journal.open(path, now_ms=START_MS) as journal:
        store(journal, "web1", 1, 2)
    with Journal.open(path, now_ms=START_MS, archived=True) as journal:
        store(journal, "web1", 3, 4)
        assert drop_oldest(journal, 1, NOW_MS) == 0
        assert ask("SELECT COUNT(*) FROM system_sample") == [(4,)]
        journal.queue().copied()
        assert drop_oldest(journal, 1, NOW_MS) > 0


def test_the_bound_holds_while_another_process_ships_too_slowly(full: Journal, tmp_path: Path) -> None:
    bound = int(used_bytes(full.queue().connection) * 0.7)
    with LockFile(full.path) as lock:
        assert lock.take(SHIPPING)
        assert ship(full, sqlite_settings(tmp_path), bound, threading.Event(), lambda: NOW_MS).dropped > 0
    assert used_bytes(full.queue().connection) <= bound


# What the journal keeps of what is in the archive.


def counts(ask: Ask) -> list[int]:
    tables = ("poll", "system_sample", "core_sample", "event", "alert", "round", "host", "core")
    return [ask(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables]


@pytest.fixture
def old(journal: Journal) -> Journal:
    """Ten old polls of one host, with an event and a closed alert, and a newer poll of another."""
    with journal.transaction() as work:
        work.begin_round("r1", "full", START_MS, 1)
        for minute in range(1, 11):
            work.store_poll(poll("web1", minute), values(minute))
        work.store_poll(replace(poll("web2"), id="new", at_ms=START_MS + 2 * DAY_MS), values(1))
    open_alert(journal, alert("web1"))
    return journal


def test_what_is_in_the_archive_leaves_after_a_day_but_for_the_newest_report(
    old: Journal, tmp_path: Path, ask: Ask, path: Path
) -> None:
    assert ship(old, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: NOW_MS).waiting == 0
    old.prune(Retention(), START_MS + DAY_MS)
    assert counts(ask) == [11, 11, 88, 2, 1, 1, 2, 16]
    old.prune(Retention(), START_MS + 2 * DAY_MS)
    assert counts(ask) == [2, 2, 16, 1, 1, 0, 2, 16]  # open alerts stay, and web2 was first seen a moment ago
    assert len(views.latest(path, "web1")) > 100


def test_what_still_waits_stays(old: Journal, ask: Ask) -> None:
    before = counts(ask)
    old.prune(Retention(), START_MS + 2 * DAY_MS)
    assert counts(ask) == before
    old.prune(Retention(samples=86400.0), START_MS + 2 * DAY_MS)
    assert counts(ask)[:3] == [11, 11, 88]
    old.prune(Retention(cores=86400.0, polls=86400.0), START_MS + 2 * DAY_MS)
    assert counts(ask)[:3] == [11, 11, 8]  # what is not rolled up would not stay there either


def test_samples_wait_for_the_archive_however_short_history_is(full: Journal, tmp_path: Path, ask: Ask) -> None:
    short, settings = Retention(samples=3600.0, polls=3600.0), sqlite_settings(tmp_path)
    full.prune(short, NOW_MS)
    assert ask("SELECT COUNT(*) FROM filesystem_sample") == [(6 * MINUTES,)]
    assert ship(full, settings, BOUND, threading.Event(), lambda: NOW_MS).polls == 2 * MINUTES + 1
    assert asked(settings, "SELECT COUNT(*) FROM filesystem_sample") == [(6 * MINUTES,)]
    roll_up_archive(settings, short, threading.Event(), NOW_MS)
    trim(settings, short, threading.Event(), NOW_MS)
    assert asked(settings, "SELECT SUM(samples), MIN(resolution) FROM filesystem_history") == [(6 * MINUTES, "5m")]
    full.prune(short, NOW_MS)
    assert ask("SELECT COUNT(*) FROM filesystem_sample WHERE at_ms < ?", NOW_MS - 3_600_000) == [(0,)]
    assert ask("SELECT COUNT(*) FROM event WHERE kind = 'gap'") == [(0,)]


def test_on_a_full_disk_samples_wait_for_no_archive_and_the_gap_is_on_record(full: Journal, ask: Ask) -> None:
    for _ in range(2):
        prune(full.queue().connection, Retention(samples=3600.0), NOW_MS, tight=True)
        ((first,),) = ask("SELECT MIN(at_ms) FROM filesystem_sample")
        assert NOW_MS - 3_600_000 - 300_000 < first <= NOW_MS - 3_600_000 + 60_000
        ((details,),) = ask("SELECT details FROM event WHERE kind = 'gap'")
        assert "given up before they were rolled up" in details


def test_a_poll_that_was_refused_for_good_holds_nothing_back(old: Journal, tmp_path: Path, ask: Ask) -> None:
    ship(old, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: NOW_MS)
    old.queue().connection.execute(
        "INSERT INTO rejected SELECT 1, 'poll', id, at_ms, 0, 'no' FROM poll WHERE at_ms = ?", (START_MS + 180_000,)
    )
    old.prune(Retention(samples=3600.0, polls=3600.0), START_MS + 2 * DAY_MS)
    assert counts(ask)[:2] == [1, 1]


def test_what_was_first_seen_while_the_clock_was_far_ahead_leaves_like_anything(
    journal: Journal, tmp_path: Path, ask: Ask
) -> None:
    """Both what is in the archive, after a day, and what finds no room."""
    with journal.transaction() as work:
        work.store_poll(replace(poll("web1", 1), id="ahead", at_ms=START_MS + 3650 * DAY_MS), values(1))
        for minute in range(2, 2 * MINUTES):
            work.store_poll(poll("web1", minute), values(minute))
    bound = int(used_bytes(journal.queue().connection) * 0.8)
    assert drop_oldest(journal, bound, NOW_MS) > 0
    assert used_bytes(journal.queue().connection) <= bound
    assert ask("SELECT COUNT(DISTINCT at_ms) FROM disk_sample") == ask("SELECT COUNT(*) FROM system_sample")
    ship(journal, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: NOW_MS)
    journal.prune(Retention(), START_MS + 2 * DAY_MS)
    assert ask("SELECT DISTINCT at_ms FROM disk_sample ORDER BY 1") == [
        (poll("web1", 2 * MINUTES - 1).at_ms,), (START_MS + 3650 * DAY_MS,),
    ]  # fmt: skip


def test_what_was_refused_stays(old: Journal, tmp_path: Path, ask: Ask) -> None:
    ship(old, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: NOW_MS)
    old.queue().connection.execute(
        "INSERT INTO rejected SELECT 1, 'poll', id, at_ms, 0, 'no' FROM poll WHERE at_ms = ?", (START_MS + 180_000,)
    )
    old.prune(Retention(), START_MS + 2 * DAY_MS)
    assert ask("SELECT at_ms FROM poll ORDER BY at_ms") == [
        (START_MS + 180_000,), (START_MS + 600_000,), (START_MS + 2 * DAY_MS,),
    ]  # fmt: skip
    assert ask("SELECT COUNT(*) FROM core_sample WHERE at_ms = ?", START_MS + 180_000) == [(8,)]


def test_history_that_nobody_copied_yet_stays(path: Path, tmp_path: Path, ask: Ask) -> None:
    with Journal.open(path, now_ms=START_MS) as journal:
        store(journal, "web1", 1, 2)
    with Journal.open(path, now_ms=START_MS + 120_000, archived=True) as journal:
        store(journal, "web1", 3)
        ship(journal, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: NOW_MS)
        journal.prune(Retention(), START_MS + 2 * DAY_MS)
        assert ask("SELECT COUNT(*) FROM poll") == [(3,)]
        journal.queue().copied()
        journal.prune(Retention(), START_MS + 2 * DAY_MS)
        assert ask("SELECT at_ms FROM poll") == [(START_MS + 180_000,)]

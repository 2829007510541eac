"""What is stored in the journal is in the archive afterwards, once, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import (
    Alert,
    ArchiveSettings,
    Change,
    ChangeKind,
    Comparison,
    Event,
    LimitState,
    Notification,
    SectionStatus,
    Severity,
)  # fmt: skip
from poller.store import Journal, views
from poller.store.archive import Shipped, ship
from poller.store.archive.gather import PLACES
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.tables import SAMPLES, TABLES, columns
from poller.store.lock import SCHEMA, SHIPPING, LockFile
from tests.store.archive.conftest import BOUND, AskArchive, asked, store
from tests.store.conftest import Ask, message
from tests.store.machines import CORES, DISKS, INTERFACES, MOUNTS, START_MS, failed, poll, values, with_section

Send = Callable[[], Shipped]
# Two databases give the same rows of these: no ids of their own, in an order that both keep.
SAME = {
    "poll": f"SELECT host.name, {', '.join(f'poll.{name}' for name in columns('poll') if name != 'host_id')}"
    " FROM poll JOIN host ON host.id = poll.host_id ORDER BY poll.id",
    "section": "SELECT * FROM section ORDER BY poll_id, name",
    "host": f"SELECT {', '.join(TABLES['host'].columns)} FROM host ORDER BY name",
    "filesystem": "SELECT host.name, mountpoint, device, type, state, filesystem.first_seen_ms,"
    " filesystem.last_seen_ms FROM filesystem JOIN host ON host.id = host_id ORDER BY host.name, mountpoint",
    "interface_address": "SELECT host.name, interface, family, interface_address.address, prefix FROM"
    " interface_address JOIN host ON host.id = host_id ORDER BY host.name, interface, family",
    "core_sample": "SELECT host, core, at_ms, percent, guest_percent FROM core_samples ORDER BY host, core, at_ms",
    "system_sample": "SELECT * FROM system_samples ORDER BY host, at_ms",
    "filesystem_sample": "SELECT * FROM filesystem_samples ORDER BY host, mountpoint, at_ms",
    "disk_sample": "SELECT * FROM disk_samples ORDER BY host, device, at_ms",
    "interface_sample": "SELECT * FROM interface_samples ORDER BY host, interface, at_ms",
    "host_latest": "SELECT * FROM hosts ORDER BY host",
    "metric_latest": "SELECT * FROM metric_latest ORDER BY host, metric, label",
    "round": "SELECT * FROM round ORDER BY id",
    "event": "SELECT id, kind, at_ms, severity, details FROM event ORDER BY id",
    "alert": f"SELECT {', '.join(n for n in columns('alert') if n != 'host_id')} FROM alert ORDER BY id",
    "notification": "SELECT * FROM notification ORDER BY id",
    "limit_state": "SELECT host.name, metric, labels, limit_key, since_ms, polls, active FROM limit_state"
    " JOIN host ON host.id = host_id ORDER BY host.name, metric, labels, limit_key",
}


def same(ask: Ask, ask_archive: AskArchive) -> None:
    for table, sql in SAME.items():
        assert ask_archive(sql) == ask(sql), table


def alert(host: str, number: str = "a1", opened_ms: int = START_MS) -> Alert:
    return Alert(
        number, host, "disk.percent", (("mountpoint", "/var"),), Severity.HIGH, 95.0, "> 80", opened_ms, opened_ms,
        opened_ms,
    )  # fmt: skip


def open_alert(journal: Journal, opened: Alert) -> None:
    state = LimitState("disk.percent", (("mountpoint", "/var"),), "above 80", START_MS, 3, True)
    with journal.transaction() as work:
        change = Change(ChangeKind.OPENED, opened, "")
        work.store_comparison(opened.host, Comparison((state,), (opened,), (change,)))
        work.enqueue([Notification(f"n-{opened.id}", opened, ChangeKind.OPENED, "ops", 1, START_MS)])


def test_everything_arrives_as_it_is(journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive) -> None:
    with journal.transaction() as work:
        work.begin_round("r1", "full", START_MS, 3)
        work.store_poll(poll("web1", 1), values(1), "r1")
        work.store_poll(with_section(poll("web2", 1), "filesystem", SectionStatus.DENIED, "no"), values(2), "r1")
        work.store_poll(failed("db1", 1, security=True), (), "r1")
        work.store_events(
            "", [Event("clock_step", START_MS, Severity.LOW, "the clock went back 3 s; 'quoted' 😀 \\x1b")]
        )
    open_alert(journal, alert("web1"))
    with journal.transaction() as work:
        work.end_round("r1", START_MS + 5, {"ok": 1, "partial": 1, "failed": 1})
    shipped = send()
    assert (shipped.polls, shipped.waiting, shipped.rejected, shipped.away) == (3, 0, 0, None)
    assert shipped.rows > 40
    same(ask, ask_archive)
    assert ask("SELECT COUNT(*) FROM outgoing") == [(0,)]


def test_rounds_follow_one_another(journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive) -> None:
    store(journal, "web1", 1, 2)
    assert send().polls == 2
    store(journal, "web1", 3)
    store(journal, "web2", 3)
    with journal.transaction() as work:
        work.store_poll(failed("web1", 4), ())
    assert send().polls == 3
    assert send() == Shipped()
    same(ask, ask_archive)


def test_what_changes_later_is_brought_up_to_date(
    journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive
) -> None:
    store(journal, "web1", 1)
    opened = alert("web1")
    open_alert(journal, opened)
    send()
    journal.outbox().pending()
    journal.outbox().delivered(message("n-a1", sent_ms=START_MS + 50))
    closed = replace(opened, closed_ms=START_MS + 99, updated_ms=START_MS + 99, reason="it fell below 75")
    with journal.transaction() as work:
        work.store_comparison("web1", Comparison((), (), (Change(ChangeKind.CLOSED, closed, ""),)))
    moved = poll("web1", 2)
    assert moved.report is not None
    with journal.transaction() as work:
        work.store_poll(replace(moved, address="192.0.2.99"), values(2))
    send()
    same(ask, ask_archive)
    assert ask_archive("SELECT COUNT(*) FROM limit_state") == [(0,)]
    assert ask_archive("SELECT state, alert.closed_ms FROM notification JOIN alert ON alert.id = alert_id") == [
        ("delivered", START_MS + 99)
    ]


def test_a_clock_that_is_set_back_does_not_make_news_old(
    journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive
) -> None:
    store(journal, "web1", 50)
    opened = alert("web1", opened_ms=START_MS + 50)
    open_alert(journal, opened)
    send()
    store(journal, "web1", 10)
    closed = replace(opened, closed_ms=START_MS + 9, updated_ms=START_MS + 9, reason="it fell")
    with journal.transaction() as work:
        work.store_comparison("web1", Comparison((), (), (Change(ChangeKind.CLOSED, closed, ""),)))
    send()
    same(ask, ask_archive)


def test_a_batch_that_was_stored_but_not_acknowledged_changes_nothing(
    journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive
) -> None:
    store(journal, "web1", 1, 2, 3)
    open_alert(journal, alert("web1"))
    kept = ask("SELECT * FROM outgoing")
    send()
    for row in kept:
        journal.queue().connection.execute("INSERT INTO outgoing VALUES (?, ?, ?, ?)", row)
    assert send().polls == 3
    same(ask, ask_archive)


def test_the_ids_of_each_database_are_its_own(
    journal: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path, ask: Ask, ask_archive: AskArchive
) -> None:
    """Two pollers with one archive: their hosts and things have different numbers in each journal."""
    with Journal.open(tmp_path / "other.db", now_ms=START_MS, archived=True) as other:
        store(other, "gw1", 1)
        store(other, "gw2", 1)
        ship(other, settings, BOUND, threading.Event(), lambda: START_MS)
    store(journal, "web1", 1)
    send()
    assert ask_archive("SELECT name FROM host ORDER BY name") == [("gw1",), ("gw2",), ("web1",)]
    sql = "SELECT * FROM core_samples WHERE host = 'web1' ORDER BY core"
    assert ask_archive(sql) == ask(sql) != []
    sql = "SELECT host, COUNT(*) FROM metric_latest GROUP BY host ORDER BY host"
    assert [count for _, count in ask_archive(sql)] == [ask(sql)[0][1]] * 3


def test_without_an_archive_nothing_is_queued(path: Path, ask: Ask) -> None:
    with Journal.open(path, now_ms=START_MS, archived=False) as journal:
        store(journal, "web1", 1)
        open_alert(journal, alert("web1"))
    assert ask("SELECT COUNT(*) FROM outgoing") == [(0,)]
    assert views.shipping(path).enabled is False


def test_history_from_before_the_archive_is_not_queued_and_that_is_on_record(
    path: Path, settings: ArchiveSettings, ask_archive: AskArchive
) -> None:
    with Journal.open(path, now_ms=START_MS) as journal:
        store(journal, "web1", 1)
    with Journal.open(path, now_ms=START_MS + 90_000, archived=True) as journal:
        store(journal, "web1", 2)
        ship(journal, settings, BOUND, threading.Event(), lambda: START_MS + 120_000)
    assert ask_archive("SELECT at_ms FROM poll") == [(START_MS + 120_000,)]
    assert views.shipping(path).uncopied_ms == START_MS + 90_000


def test_the_lost_memory_of_a_journal_does_not_leave_two_episodes_of_one_thing(
    journal: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path, ask_archive: AskArchive
) -> None:
    with Journal.open(tmp_path / "lost.db", now_ms=START_MS, archived=True) as lost:
        store(lost, "web1", 1)
        open_alert(lost, alert("web1", "old"))
        ship(lost, settings, BOUND, threading.Event(), lambda: START_MS)
    store(journal, "web1", 5)
    open_alert(journal, alert("web1", "new", START_MS + 300_000))
    assert send().away is None
    assert ask_archive("SELECT id, closed_ms, reason FROM alert ORDER BY opened_ms") == [
        ("old", START_MS + 300_000, "superseded by a new episode"),
        ("new", None, ""),
    ]


def test_one_process_ships_at_a_time(journal: Journal, send: Send, ask_archive: AskArchive) -> None:
    store(journal, "web1", 1)
    with LockFile(journal.path) as lock:
        assert lock.take(SHIPPING)
        assert send() == Shipped(waiting=1)
    assert send().polls == 1


def test_shipping_ends_when_it_is_told_to(journal: Journal, settings: ArchiveSettings) -> None:
    store(journal, "web1", 1)
    stop = threading.Event()
    stop.set()
    assert ship(journal, settings, BOUND, stop, lambda: START_MS) == Shipped(waiting=1)


def test_a_row_that_can_never_be_stored_takes_its_poll_with_it_and_nothing_else(
    journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive, path: Path
) -> None:
    store(journal, "web1", 1, 2)
    store(journal, "web2", 1, 2)
    open_alert(journal, alert("web2"))
    poison(journal, "web1", 2)
    shipped = send()
    assert (shipped.polls, shipped.rejected, shipped.waiting, shipped.away) == (3, 1, 0, None)
    bad = poll("web1", 2)
    assert ask_archive("SELECT id FROM poll ORDER BY id") == [
        (one,) for one in sorted((poll("web1", 1).id, poll("web2", 1).id, poll("web2", 2).id))
    ]
    assert ask_archive(f"SELECT COUNT(*) FROM core_samples WHERE host = 'web1' AND at_ms = {bad.at_ms}") == [(0,)]
    assert ask_archive("SELECT COUNT(*) FROM notification") == [(1,)]
    ((kind, item, error),) = ask("SELECT kind, item, error FROM rejected")
    assert (kind, item) == ("poll", bad.id)
    assert error
    assert views.shipping(path).rejected == 1


def test_what_a_trigger_of_the_administrators_refuses_holds_nothing_else_back(
    journal: Journal, send: Send, settings: ArchiveSettings, request: pytest.FixtureRequest
) -> None:
    store(journal, "web1", 1)
    send()
    bad = poll("web1", 2).id
    if settings.kind == "sqlite":
        raising = "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        asked(settings, f"CREATE TRIGGER no BEFORE INSERT ON poll WHEN NEW.id = '{bad}' {raising}")
    else:
        signal = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'"
        request.getfixturevalue("database").sql(
            "DELIMITER //\n"
            f"CREATE TRIGGER no BEFORE INSERT ON poll FOR EACH ROW IF NEW.id = '{bad}' THEN {signal}; END IF//"
        )
    store(journal, "web1", 2)
    store(journal, "web2", 2)
    shipped = send()
    assert (shipped.polls, shipped.rejected, shipped.waiting, shipped.away) == (1, 1, 0, None)


def poison(journal: Journal, host: str, minute: int) -> None:
    """Gives one poll a row that no archive takes."""
    connection = journal.queue().connection
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute(
        "INSERT INTO section (poll_id, name, status, reason) VALUES (?, 'cpu', 'nonsense', '')",
        (poll(host, minute).id,),
    )
    connection.execute("PRAGMA ignore_check_constraints = OFF")


def test_what_was_refused_can_be_queued_again(journal: Journal, send: Send, ask: Ask, ask_archive: AskArchive) -> None:
    store(journal, "web1", 1, 2)
    poison(journal, "web1", 2)
    send()
    journal.queue().connection.execute("UPDATE section SET status = 'denied'")
    assert journal.queue().retry() == 1
    assert ask("SELECT COUNT(*) FROM rejected") == [(0,)]
    assert send().polls == 1
    same(ask, ask_archive)


def test_an_archive_that_is_away_is_on_record_until_it_is_back(
    journal: Journal, settings: ArchiveSettings, send: Send, path: Path, ask: Ask, ask_archive: AskArchive
) -> None:
    gone = replace(settings, port=1, path=Path("/nowhere/archive.db"))
    store(journal, "web1", 1, 2)
    for clock in (lambda: START_MS, lambda: START_MS + 60_000):
        shipped = ship(journal, gone, BOUND, threading.Event(), clock)
        assert shipped.away is not None
        assert shipped.away.code == "away"
        assert (shipped.polls, shipped.waiting) == (0, 2)
    state = views.shipping(path)
    assert (state.enabled, state.waiting, state.away_since_ms, state.code) == (True, 2, START_MS, "away")
    assert state.oldest_ms == START_MS + 60_000
    assert state.error
    assert send().polls == 2
    state = views.shipping(path)
    assert (state.waiting, state.away_since_ms, state.code, state.error) == (0, None, "", "")
    assert state.shipped_ms == START_MS + 600_000
    same(ask, ask_archive)


def test_a_message_under_the_number_of_another_is_refused_and_not_written_over_it(
    journal: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path, ask: Ask, ask_archive: AskArchive
) -> None:
    with Journal.open(tmp_path / "other.db", now_ms=START_MS, archived=True) as other:
        store(other, "web1", 1)
        open_alert(other, alert("web1"))
        ship(other, settings, BOUND, threading.Event(), lambda: START_MS)
    store(journal, "web1", 2)
    open_alert(journal, alert("web1"))
    journal.queue().connection.execute("UPDATE notification SET id = 'another'")
    shipped = send()
    assert (shipped.polls, shipped.away) == (1, None)
    assert ask_archive("SELECT id, state FROM notification") == [("n-a1", "owed")]
    assert ask("SELECT kind, item FROM rejected") == [("notification", "another")]


def test_counting_what_one_poll_brings(journal: Journal, send: Send, ask_archive: AskArchive) -> None:
    store(journal, "web1", 1)
    send()
    wanted = {
        "system": 1,
        "core": len(CORES),
        "filesystem": len(MOUNTS),
        "disk": len(DISKS),
        "interface": len(INTERFACES),
    }
    for name, count in wanted.items():
        assert ask_archive(f"SELECT COUNT(*) FROM {name}_sample") == [(count,)]


def test_the_registry_fits_the_schema() -> None:
    for (table, column), place in PLACES.items():
        assert columns(table).index(column) == place
    for known in TABLES.values():
        wanted = {*known.key, known.time, known.earliest, (known.parent or ("", ""))[0], known.newest or ""} - {""}
        assert wanted <= set(columns(known.name)), known.name
    assert set(SAMPLES) < set(TABLES)
    assert [columns("alert").index(name) for name in ("id", "open_key", "opened_ms", "updated_ms")] == [0, 1, 9, 10]


def test_an_sqlite_archive_that_another_process_is_just_opening_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    SqliteArchive.open(path, START_MS).close()
    with LockFile(path) as lock:
        assert lock.take(SCHEMA)
        threading.Timer(0.3, lock.drop, (SCHEMA,)).start()
        SqliteArchive.open(path, START_MS).close()

"""What a host has, who it talks to and what its logs say arrives in the archive once, and as the journal has it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from poller.model import ArchiveSettings, Brief, Findings, Retention
from poller.model.contracts import Archive
from poller.store import Journal
from poller.store.archive import Shipped, rebuild, ship
from poller.store.archive.bound import drop_oldest, used_bytes
from poller.store.archive.copying import copy
from poller.store.archive.places import open_archive
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.trimming import trim_archive
from poller.store.archive.verifying import verify
from poller.store.kinds import PATIENCE_MS
from tests.store.archive.conftest import BOUND, AskArchive, sqlite_settings
from tests.store.conftest import Ask
from tests.store.machines import START_MS, values
from tests.store.watching import MINUTE_MS, TABLES, connection, everything, fill, line, read, seen, store, talk, usb

DAY_MS = 86_400_000
Send = Callable[[], Shipped]


def at(minute: int) -> int:
    return START_MS + minute * MINUTE_MS


def differing(journal: Journal, archive: Archive) -> dict[str, int]:
    """Tables that are not the same in both, with how many rows are not."""
    found = verify(SqliteArchive(journal.queue().connection, journal.path), archive)
    assert found.rows["poll"][0] > 0
    return {name: count for name, count in found.differing.items() if count}


def test_everything_of_every_table_arrives_and_stays_the_same(journal: Journal, send: Send, archive: Archive) -> None:
    for minutes in ((1,), (2, 3), (4, 5, 6)):
        fill(journal, "web1", *minutes)
        fill(journal, "web2", *minutes)
        shipped = send()
        assert (shipped.rejected, shipped.away, shipped.waiting) == (0, None, 0)
        assert not differing(journal, archive)
    for table in TABLES:
        assert archive.count(table) > 0, table


def test_all_at_once_is_the_same_as_one_by_one(journal: Journal, send: Send, archive: Archive) -> None:
    fill(journal, "web1", *range(1, 20))
    assert send().waiting == 0
    assert not differing(journal, archive)


def test_a_batch_that_comes_again_changes_nothing(journal: Journal, send: Send, archive: Archive) -> None:
    fill(journal, "web1", 1, 2, 3)
    connection = journal.queue().connection
    queued = connection.execute("SELECT * FROM outgoing").fetchall()
    assert send().waiting == 0
    connection.executemany("INSERT INTO outgoing VALUES (?, ?, ?, ?)", queued)
    assert send().rejected == 0
    assert not differing(journal, archive)


def test_only_what_changed_is_sent(journal: Journal, send: Send, archive: Archive) -> None:
    many = tuple(connection(port) for port in range(1, 301))
    sections = [read("traffic"), read("usb", *(usb(f"1-{port}") for port in range(1, 11)))]
    store(journal, seen("web1", 1, *sections), Findings(connections=many))
    send()
    store(journal, seen("web1", 2, *sections), Findings(connections=(*many[1:], connection(2, sent=900))))
    ordinary = send().rows
    store(journal, seen("web1", 3), Findings())
    assert ordinary - send().rows < 10
    assert not differing(journal, archive)


def test_a_stick_that_came_and_went_long_before_it_was_told_of_arrives_too(
    journal: Journal, send: Send, ask_archive: AskArchive
) -> None:
    store(journal, seen("web1", 1, read("usb")))
    send()
    brief = Brief("1-1.4", "04e8", "6860", "Samsung", "Galaxy", "R58", at(1) - 9000, at(1) - 5000)
    store(journal, seen("web1", 2, read("usb")), Findings(briefs=(brief,)))
    send()
    rows = ask_archive("SELECT serial, first_seen_ms, gone_ms, told_ms FROM usb_device")
    assert rows == [("R58", at(1) - 9000, at(1) - 5000, at(2))]


def test_what_went_in_polls_that_were_given_up_or_refused_is_gone_in_the_archive_too(
    journal: Journal, send: Send, ask_archive: AskArchive
) -> None:
    queue = journal.queue()
    store(journal, seen("web1", 1, read("usb", usb("1-1"), usb("1-2"))))
    send()
    store(journal, seen("web1", 2, read("usb", usb("1-2"))))
    queue.connection.execute("DELETE FROM outgoing")
    queue.connection.execute("DELETE FROM poll WHERE at_ms = ?", (at(2),))
    store(journal, seen("web1", 3, read("usb")))
    queue.connection.execute("INSERT INTO rejected SELECT *, 1, '' FROM outgoing WHERE kind = 'poll'")
    queue.connection.execute("DELETE FROM outgoing")
    store(journal, seen("web1", 4, read("usb")))
    assert send().waiting == 0
    assert sorted(ask_archive("SELECT port, last_seen_ms, gone_ms FROM usb_device")) == [
        ("1-1", at(1), at(2)), ("1-2", at(2), at(3)),
    ]  # fmt: skip


def test_text_that_differs_in_its_last_space_is_two_things(
    journal: Journal, send: Send, ask_archive: AskArchive
) -> None:
    store(journal, seen("web1", 1, read("usb", usb(serial="a"), usb(serial="a "), usb(serial="A"))))
    assert send().rejected == 0
    assert sorted(ask_archive("SELECT serial FROM usb_device")) == [("A",), ("a",), ("a ",)]


def test_ten_thousand_lines_of_each_of_several_polls_go_in_parts(
    journal: Journal, send: Send, ask_archive: AskArchive
) -> None:
    lines = tuple(line(number) for number in range(9000))
    for minute in range(1, 5):
        store(journal, seen("web1", minute), Findings(lines=lines))
    queue = journal.queue()
    assert [item.kind for item in queue.next(300, 3000, 20_000)].count("poll") == 3
    assert [item.kind for item in queue.next(300, 3000, 1)].count("poll") == 1
    assert send().waiting == 0
    assert ask_archive("SELECT COUNT(*) FROM log_line") == [(36_000,)]


def test_a_day_goes_on_after_the_journal_was_lost(
    journal: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path, ask_archive: AskArchive
) -> None:
    section = read("usb", usb())
    store(journal, seen("web1", 1, section, read("traffic")), Findings(talks=(talk(),), connections=(connection(),)))
    store(journal, seen("web1", 2, read("usb", usb(), usb("1-9"))), Findings(talks=(talk(),)))
    store(journal, seen("web1", 3, section), Findings())
    send()
    with Journal.open(tmp_path / "new.db", now_ms=at(4), archived=True) as fresh:
        assert rebuild(fresh, settings, at(4)) == 1
        assert fresh.before(["web1"])["web1"].cursors == {}
        later = Findings(talks=(talk(),), connections=(connection(sent=700),))
        store(fresh, seen("web1", 5, section, read("traffic")), later)
        store(fresh, seen("web1", 6, read("usb"), read("traffic")), Findings())
        assert ship(fresh, settings, BOUND, threading.Event(), lambda: at(7)).rejected == 0
    assert ask_archive("SELECT sent_bytes, opened FROM peer_day") == [(3000, 3)]
    assert ask_archive("SELECT first_seen_ms, sent_bytes, gone_ms FROM connection") == [(at(1), 700, at(6))]
    assert sorted(ask_archive("SELECT port, first_seen_ms, gone_ms FROM usb_device")) == [
        ("1-1.2", at(1), at(6)), ("1-9", at(2), at(3)),
    ]  # fmt: skip


def test_a_copy_has_all_of_it_and_can_be_made_again_later(journal: Journal, archive: Archive) -> None:
    source = SqliteArchive(journal.queue().connection, journal.path)
    for minutes in ((1, 2, 3), (4, 5)):
        fill(journal, "web1", *minutes)
        fill(journal, "web2", *minutes)
        assert not copy(source, archive).refused
        assert not differing(journal, archive)


def test_a_copy_back_into_an_empty_journal_is_the_same(journal: Journal, archive: Archive, tmp_path: Path) -> None:
    fill(journal, "web1", 1, 2, 3)
    copy(SqliteArchive(journal.queue().connection, journal.path), archive)
    with Journal.open(tmp_path / "back.db", now_ms=START_MS) as back:
        assert not copy(archive, SqliteArchive(back.queue().connection, back.path)).refused
        assert not differing(back, archive)


def test_a_difference_is_found_and_named(journal: Journal, send: Send, archive: Archive) -> None:
    fill(journal, "web1", 1, 2, 3)
    send()
    changed = journal.queue().connection
    changed.execute("UPDATE log_line SET message = 'x' WHERE number = 1 AND seen_ms = ?", (at(3),))
    changed.execute("UPDATE peer_day SET opened = 99 WHERE sent_bytes > 0")
    changed.execute("UPDATE connection SET gone_ms = 1 WHERE gone_ms IS NOT NULL")
    changed.execute("DELETE FROM process_sample WHERE pid = 43 AND at_ms = ?", (at(2),))
    assert differing(journal, archive) == {"log_line": 1, "peer_day": 1, "connection": 2, "process_sample": 1}


def test_an_archive_is_cut_to_the_same_length_as_a_journal(journal: Journal, send: Send, archive: Archive) -> None:
    now_ms = START_MS + 100 * DAY_MS
    for number, age in enumerate((800, 95, 32, 31, 8, 6, 1), 1):
        one, findings = everything("web1", number)
        store(journal, replace(one, at_ms=now_ms - age * DAY_MS), findings, values(1))
    assert send().rejected == 0
    copied = SqliteArchive(journal.queue().connection, journal.path)
    trim_archive(archive, Retention(), threading.Event(), now_ms)
    journal.queue().enable(archived=False, now_ms=now_ms)  # or it keeps a day only of what the archive has
    journal.prune(Retention(), now_ms)
    assert {name: archive.count(name) for name in TABLES} == {name: copied.count(name) for name in TABLES}
    assert not differing(journal, archive)


# What the journal keeps, and gives up.


def counts(ask: Ask, *tables: str) -> list[int]:
    return [ask(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables]


def test_what_the_archive_has_leaves_after_a_day(journal: Journal, tmp_path: Path, ask: Ask) -> None:
    fill(journal, "web1", 1, 2, 3)
    tables = ("process_sample", "series_sample", "peer_sample", "peer_day", "log_line", "connection", "usb_device")
    before = counts(ask, *tables)
    journal.prune(Retention(), START_MS + 3 * DAY_MS)
    assert counts(ask, *tables) == before, "it waits for the archive"
    assert ship(journal, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: at(4)).waiting == 0
    journal.prune(Retention(), START_MS + 3 * DAY_MS)
    # Of the newest report all is left, and what was still there at the one before.
    assert counts(ask, *tables) == [before[0] // 3, before[1] // 3, 2, 2, 3, before[5] - 1, before[6]]


def test_log_lines_are_given_up_last_and_never_without_their_polls(journal: Journal, tmp_path: Path, ask: Ask) -> None:
    for minute in range(1, 61):
        lines = tuple(line(number) for number in range(30)) if minute % 2 else ()
        store(journal, seen("web1", minute), Findings(lines=lines))
    used = used_bytes(journal.queue().connection)
    while counts(ask, "log_line") == [900]:
        used -= 20_000
        drop_oldest(journal, used, at(61))
    assert counts(ask, "system_sample") == [1]
    assert ask("SELECT COUNT(*) FROM poll WHERE at_ms NOT IN (SELECT seen_ms FROM log_line)") == [(0,)]
    assert ask("SELECT COUNT(*) FROM log_line WHERE seen_ms NOT IN (SELECT at_ms FROM poll)") == [(0,)]
    ((left,),) = ask("SELECT COUNT(*) FROM log_line")
    shipped = ship(journal, sqlite_settings(tmp_path), BOUND, threading.Event(), lambda: at(62))
    assert shipped.waiting == 0
    with closing(open_archive(sqlite_settings(tmp_path), START_MS)) as archive:
        assert archive.count("log_line") == left > 0


def test_with_no_room_at_all_lines_go_too_and_the_gap_says_so(journal: Journal, ask: Ask) -> None:
    for minute in range(1, 21):
        store(journal, seen("web1", minute), Findings(lines=tuple(line(number) for number in range(50))))
    drop_oldest(journal, 1, at(61))
    assert counts(ask, "log_line", "poll") == [0, 0]
    assert any("log lines of 20 polls" in text for (text,) in ask("SELECT details FROM event WHERE kind = 'gap'"))


def test_a_thing_that_is_just_there_is_sent_again_every_ten_minutes_only(
    journal: Journal, send: Send, ask_archive: AskArchive
) -> None:
    for minute in range(1, PATIENCE_MS // MINUTE_MS + 3):
        store(journal, seen("web1", minute, read("usb", usb())))
        send()
    assert ask_archive("SELECT last_seen_ms FROM usb_device") == [(at(1) + PATIENCE_MS,)]

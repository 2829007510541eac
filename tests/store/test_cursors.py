"""Every line of a log counts exactly once, whoever asked for it and whoever was killed when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poller.model import (
    Before,
    Findings,
    JournalEntry,
    KernelLog,
    KernelMessage,
    LoginRecord,
    LogSource,
    LogText,
    People,
    Poll,
    Row,
    Section,
)
from poller.store import Journal, unread
from tests.store.conftest import Ask
from tests.store.machines import failed
from tests.store.watching import line, read, seen, store

LOG = LogSource("auth", "/var/log/auth.log", "ok", "", "", "7", 0, 0)
CURSORS = "SELECT name, place FROM log_cursor ORDER BY name"


def logs(began: str, cursor: str, **changes: object) -> Section:
    source = replace(LOG, began=began, cursor=cursor, **changes)  # type: ignore[arg-type]  # its own fields
    return read("logs", source, LogText(1, "auth", "/var/log/auth.log", f"after {began}"))


def take(journal: Journal, poll: Poll) -> tuple[Row, ...]:
    """As intake does; the rows of the sections that are read from logs."""
    with journal.transaction() as work:
        before = work.before(poll.host)
        poll = unread(before, poll)
        assert poll.report
        found = [row for section in poll.report.now.sections for row in section.rows if isinstance(row, LogText)]
        work.store_poll(poll, (), None, Findings(lines=tuple(line(text=row.text) for row in found)))
    return tuple(
        row
        for section in poll.report.now.sections
        if section.name in ("kernel", "people", "logs")
        for row in section.rows
    )


def test_two_pollers_that_asked_from_the_same_place_store_the_lines_once(journal: Journal, ask: Ask) -> None:
    take(journal, seen("web1", 1, logs("", "7")))
    take(journal, seen("web1", 2, logs("7", "9"), number=1))
    kept = take(journal, seen("web1", 2, logs("7", "8", lost=5), number=2))
    assert kept == (replace(LOG, began="9", cursor="9"),), "as if nothing had been read there"
    take(journal, seen("web1", 3, logs("9", "11", lost=3)))
    assert ask("SELECT message FROM log_lines ORDER BY seen_ms, number") == [("after ",), ("after 7",), ("after 9",)]
    assert ask(CURSORS) == [("logs\nauth\n/var/log/auth.log", "11")]
    assert ask("SELECT lost_bytes FROM log_source") == [(3,)]


def test_each_log_has_its_own_place_and_each_host_too(journal: Journal, ask: Ask) -> None:
    other = replace(LOG, path="/var/log/auth.log.1", began="x", cursor="y")
    section = logs("", "7")
    take(journal, seen("web1", 1, replace(section, rows=(*section.rows, other))))
    take(journal, seen("web2", 1, logs("", "3")))
    assert ask(CURSORS) == [("logs\nauth\n/var/log/auth.log", "7"), ("logs\nauth\n/var/log/auth.log", "3")]
    with journal.transaction() as work:
        assert work.before("web1").cursors == {"logs\nauth\n/var/log/auth.log": "7"}
        assert work.before("web2").cursors == {"logs\nauth\n/var/log/auth.log": "3"}


@pytest.mark.parametrize("cursor", ["", "7"])
def test_a_log_that_gives_no_new_place_keeps_the_old_one(journal: Journal, ask: Ask, cursor: str) -> None:
    take(journal, seen("web1", 1, logs("", "7")))
    take(journal, seen("web1", 2, read("logs", replace(LOG, state="denied", began="7", cursor=cursor))))
    assert ask(CURSORS) == [("logs\nauth\n/var/log/auth.log", "7")]
    assert ask("SELECT state FROM log_source") == [("denied",)]


def test_the_kernels_log_and_the_book_of_logins_count_once_as_well(journal: Journal, ask: Ask) -> None:
    messages = (KernelMessage(1, 1.0, 4, "usb 1-1: new"), KernelMessage(2, 2.0, 4, "usb 1-1: gone"))
    record = LoginRecord(1, "login", "alice", "pts/0", "192.0.2.9", 4000, 1.0)
    sections = (
        read("kernel", KernelLog("kmsg", "", "b 9", 0), *messages),
        read("people", People("utmp", 1.0, 0, "", "", "1:2:3"), record),
    )
    kept = take(journal, seen("web1", 1, *sections))
    assert {type(row) for row in kept} == {KernelLog, KernelMessage, People, LoginRecord}
    kept = take(journal, seen("web1", 2, *sections))
    assert kept == (KernelLog("kmsg", "b 9", "b 9", 0), People("utmp", 1.0, 0, "", "1:2:3", "1:2:3"))
    assert ask(CURSORS) == [("kernel", "b 9"), ("people", "1:2:3")]


def test_lines_without_the_place_behind_them_wait_for_the_next_poll() -> None:
    """The section was cut short before it came to that."""
    entry = JournalEntry(1, "sshd", 1.0, "sshd", 1, 0, "ssh.service", 6, 1, "x")
    known = replace(LOG, log="sshd", path="journal")
    one = seen("web1", 1, read("logs", LogText(2, "auth", "/var/log/auth.log", "x"), entry, known))
    kept = unread(Before(), one)
    assert kept.report and one.report
    assert kept.report.now.sections[-1].rows == (entry, known)
    assert kept.report.now.sections[:-1] == one.report.now.sections[:-1]


def test_a_poll_without_logs_is_left_as_it_is() -> None:
    for one in (failed("web1"), seen("web1", 1, read("usb"))):
        assert unread(Before(), one) is one


def test_a_poll_that_is_taken_back_leaves_its_lines_for_the_next(journal: Journal, ask: Ask) -> None:
    take(journal, seen("web1", 1, logs("", "7")))
    with journal.transaction(keep=False) as work:
        work.store_poll(seen("web1", 2, logs("7", "9")), (), None, Findings(lines=(line(),)))
    with journal.transaction() as work, pytest.raises(RuntimeError), work.savepoint():
        work.before("web1")
        work.store_poll(seen("web1", 2, logs("7", "9")), (), None, Findings(lines=(line(),)))
        raise RuntimeError
    take(journal, seen("web1", 3, logs("7", "10")))
    assert ask("SELECT message FROM log_line") == [("after ",), ("after 7",)]
    assert ask(CURSORS) == [("logs\nauth\n/var/log/auth.log", "10")]


def test_when_each_section_was_asked_for_comes_back(journal: Journal) -> None:
    store(journal, seen("web1", 1, read("usb")))
    store(journal, seen("web1", 2))
    ahead = journal.before(["web1"])["web1"]
    with journal.transaction() as work:
        assert work.before("web1") == ahead
    assert ahead.asked_ms["load"] - ahead.asked_ms["usb"] == 60_000
    assert "logs" not in ahead.asked_ms

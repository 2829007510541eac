"""What comes and goes has a row for each time, and is gone only when somebody looked and it was not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poller.model import Brief, Findings, Listener, Login, Section, SectionStatus
from poller.store import Journal
from poller.store.kinds import PATIENCE_MS
from tests.store.conftest import Ask
from tests.store.machines import START_MS
from tests.store.watching import MINUTE_MS, connection, mount, read, seen, store, usb

USB = "SELECT port, first_seen_ms, last_seen_ms, gone_ms FROM usb_device ORDER BY first_seen_ms, port"


def at(minute: int) -> int:
    return START_MS + minute * MINUTE_MS


def test_a_stick_that_comes_goes_and_comes_back_has_two_rows(journal: Journal, ask: Ask) -> None:
    for minute, there in ((1, True), (2, True), (3, False), (4, False), (5, True), (6, True)):
        store(journal, seen("web1", minute, read("usb", *([usb()] if there else []))))
    assert ask(USB) == [("1-1.2", at(1), at(2), at(3)), ("1-1.2", at(5), at(5), None)]
    assert ask("SELECT host, kind, gone FROM usb_devices WHERE gone IS NOT NULL") == [
        ("web1", "storage", "2025-10-09 08:56:20")
    ]


@pytest.mark.parametrize(
    "section",
    [
        None,
        read("usb", status=SectionStatus.DENIED, reason="no"),
        read("usb", status=SectionStatus.ABSENT),
        read("usb", status=SectionStatus.TIMEOUT, reason="3 s"),
        read("usb", reason="a part of it could not be read"),
    ],
)
def test_what_was_not_looked_for_everywhere_is_not_gone(journal: Journal, ask: Ask, section: Section | None) -> None:
    store(journal, seen("web1", 1, read("usb", usb())))
    store(journal, seen("web1", 2, *([section] if section else [])))
    assert ask(USB) == [("1-1.2", at(1), at(1), None)]
    store(journal, seen("web1", 3, read("usb")))
    assert ask(USB) == [("1-1.2", at(1), at(1), at(3))], "nobody saw it at the second poll"


def test_what_is_still_there_is_written_down_again_every_ten_minutes_and_exactly_when_it_goes(
    journal: Journal, ask: Ask
) -> None:
    for minute in range(1, 16):
        store(journal, seen("web1", minute, read("usb", usb())))
    assert ask(USB) == [("1-1.2", at(1), at(1) + PATIENCE_MS, None)]
    store(journal, seen("web1", 16, read("usb")))
    assert ask(USB) == [("1-1.2", at(1), at(15), at(16))]


def test_that_holds_for_a_new_process_at_each_poll_too(journal: Journal, ask: Ask) -> None:
    journal.close()
    for minute in range(1, 4):
        with Journal.open(journal.path, now_ms=START_MS) as opened:
            store(opened, seen("web1", minute, read("usb", *([usb()] if minute < 3 else []))))
    assert ask(USB) == [("1-1.2", at(1), at(2), at(3))]


def test_a_change_is_no_new_thing_and_each_host_has_its_own(journal: Journal, ask: Ask) -> None:
    for minute, options in ((1, "rw"), (2, "ro")):
        store(journal, seen("web1", minute, read("mounts", mount(options=options), mount(options="rw", root="/a"))))
        store(journal, seen("web2", minute, read("mounts", mount())))
    assert ask("SELECT host, root, options, last_seen_ms FROM mounts ORDER BY host, root") == [
        ("web1", "/", "ro", at(2)), ("web1", "/a", "rw", at(1)), ("web2", "/", "rw,nosuid", at(1)),
    ]  # fmt: skip
    store(journal, seen("web1", 3, read("mounts")))
    assert ask("SELECT host FROM mounts WHERE gone IS NULL") == [("web2",)]


def test_listeners_and_logins_come_and_go_with_their_sections(journal: Journal, ask: Ask) -> None:
    login = Login("alice", "pts/0", "192.0.2.9", 4000, 1_760_000_000.25)
    ssh = Listener("tcp", "::", 22, 0, "sshd")
    store(journal, seen("web1", 1, read("sockets", ssh), read("people", login)))
    store(journal, seen("web1", 2, read("sockets", replace(ssh, process="sshd-session")), read("people")))
    assert ask("SELECT process, gone FROM listeners") == [("sshd-session", None)]
    assert ask("SELECT account, since_ms, gone_ms FROM login") == [("alice", 1_760_000_000_250, at(2))]


def test_one_that_came_and_went_between_two_polls_is_told_of(journal: Journal, ask: Ask) -> None:
    brief = Brief("1-1.4", "04e8", "6860", "Samsung", "Galaxy", "R58", at(1) + 5000, at(1) + 9000)
    store(journal, seen("web1", 2, read("usb", usb())), Findings(briefs=(brief, brief)))
    assert ask("SELECT port, first_seen_ms, last_seen_ms, gone_ms, told_ms FROM usb_device ORDER BY port") == [
        ("1-1.2", at(2), at(2), None, None), ("1-1.4", at(1) + 5000, at(1) + 9000, at(1) + 9000, at(2)),
    ]  # fmt: skip


CONNECTIONS = "SELECT local_port, sent_bytes, first_seen_ms, last_seen_ms, gone_ms FROM connection ORDER BY id"


def test_a_connection_is_a_row_from_its_beginning_to_its_end(journal: Journal, ask: Ask) -> None:
    store(journal, seen("web1", 1, read("traffic")), Findings(connections=(connection(1), connection(2))))
    store(journal, seen("web1", 2, read("traffic")), Findings(connections=(connection(1, sent=900),)))
    store(journal, seen("web1", 3, read("traffic", reason="1000 of 2000")), Findings())
    store(journal, seen("web1", 4))
    assert ask(CONNECTIONS) == [(1, 900, at(1), at(2), None), (2, 100, at(1), at(1), at(2))]
    store(journal, seen("web1", 5, read("traffic")), Findings(connections=(connection(2),)))
    assert ask(CONNECTIONS) == [
        (1, 900, at(1), at(2), at(5)), (2, 100, at(1), at(1), at(2)), (2, 100, at(5), at(5), None),
    ]  # fmt: skip


def test_a_poll_that_is_taken_back_leaves_no_trace_of_what_it_saw(journal: Journal, ask: Ask) -> None:
    store(journal, seen("web1", 1, read("usb", usb())))
    with journal.transaction() as work, pytest.raises(RuntimeError), work.savepoint():
        work.store_poll(seen("web1", 2, read("usb", usb("1-9"))), ())
        raise RuntimeError
    store(journal, seen("web1", 3, read("usb", usb(), usb("1-9"))))
    assert ask(USB) == [("1-1.2", at(1), at(1), None), ("1-9", at(3), at(3), None)]

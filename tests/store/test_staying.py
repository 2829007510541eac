"""A journal that stays open keeps in mind what it has of the hosts, and is never wrong because of that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from poller.model import Before, Poll, UsbDevice
from poller.store import Journal
from tests.store import machines
from tests.store.watching import MINUTE_MS, mount, read, seen, store, usb

TABLES = ("usb_device", "mount", "core", "filesystem", "interface", "interface_address", "section_state", "host_memory")


@contextmanager
def journal(path: Path, *, stays: bool) -> Iterator[Journal]:
    with Journal.open(path, now_ms=0, stays=stays) as one:
        yield one


def rows(one: Journal) -> dict[str, list[tuple[Any, ...]]]:
    return {table: one._connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}


def polls() -> Iterator[Poll]:
    """An hour of a host: most sections are the very same as before, some things come and go, and one read fails."""
    stick, disk = usb(), mount()
    plugged, alone = (stick, usb("2-1", serial="B")), (stick,)
    mounted = (disk,)
    for minute in range(1, 61):
        devices = plugged if minute % 7 < 3 else alone
        whole = machines.poll("web1", minute)
        assert whole.report is not None
        sections = (*whole.report.now.sections, read("usb", *devices), read("mounts", *mounted))
        # the very rows, as in a report that says they are the same
        sections = (*sections[:-2], replace(sections[-2], rows=devices), replace(sections[-1], rows=mounted))
        if minute == 30:
            sections = (*sections[:-1], replace(sections[-1], rows=(), reason="no such file"))
        reading = replace(whole.report.now, sections=sections)
        yield replace(whole, report=replace(whole.report, readings=(reading,)))


def test_an_hour_leaves_the_same_rows_as_with_a_journal_opened_for_each_poll(tmp_path: Path) -> None:
    with journal(tmp_path / "stays.db", stays=True) as stays:
        for poll in polls():
            store(stays, poll)
            with journal(tmp_path / "each.db", stays=False) as each:
                store(each, poll)
                assert remembered(stays) == remembered(each)
        with journal(tmp_path / "each.db", stays=False) as each:
            assert rows(stays) == rows(each)


def remembered(one: Journal) -> Before:
    return one.before(["web1"])["web1"]


def test_what_another_poller_stored_is_noticed(tmp_path: Path) -> None:
    with journal(tmp_path / "j.db", stays=True) as stays, journal(tmp_path / "j.db", stays=False) as other:
        stick = (usb(),)
        store(stays, with_rows(seen("web1", 1, read("usb")), stick))
        store(other, seen("web1", 2, read("usb")))
        before = remembered(stays)
        assert before.reading is not None
        assert before.reading.rows(UsbDevice) == ()
        store(stays, with_rows(seen("web1", 3, read("usb")), stick))
        times = stays._connection.execute("SELECT first_seen_ms, gone_ms FROM usb_device ORDER BY id").fetchall()
        first, second = (seen("web1", minute).at_ms for minute in (1, 3))
        assert times == [(first, second - MINUTE_MS), (second, None)]


def with_rows(poll: Poll, rows: tuple[Any, ...]) -> Poll:
    assert poll.report is not None
    now = poll.report.now
    sections = (*now.sections[:-1], replace(now.sections[-1], rows=rows))
    reading = replace(now, sections=sections)
    return replace(poll, report=replace(poll.report, readings=(reading,)))


def test_what_was_rolled_back_is_not_kept_in_mind(tmp_path: Path) -> None:
    with journal(tmp_path / "j.db", stays=True) as stays:
        first, second = with_rows(seen("web1", 1, read("usb")), (usb(),)), seen("web1", 2, read("usb"))
        store(stays, first)
        before = remembered(stays)
        with stays.transaction(keep=False) as work:
            work.before("web1")
            work.store_poll(second, ())
        assert remembered(stays) == before
        store(stays, replace(first, id="again", at_ms=second.at_ms))
        assert stays._connection.execute("SELECT COUNT(*) FROM usb_device WHERE gone_ms IS NULL").fetchone() == (1,)

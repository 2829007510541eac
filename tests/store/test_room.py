"""How much room a journal needs and takes: the reserve, what counts as low, and a log that stays short."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poller.errors import StoreError
from poller.store import Journal
from poller.store.room import RESERVE_BYTES, Reserve, Room, is_full, room
from tests.store.contention import contend
from tests.store.machines import START_MS, poll, values

GIB = 1 << 30
AMPLE = Room(10 * GIB, 100 * GIB)


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [
        (50, 1000, False),
        (49, 1000, True),
        (GIB, 4096 * GIB, False),  # 5 % of 4 TB would be 200 GB
        (GIB - 1, 4096 * GIB, True),
        (GIB - 1, 10 * GIB, False),
        (0, 0, False),  # a file system that does not say, as some of FUSE
    ],
)
def test_low_is_less_than_5_percent_and_less_than_a_gibibyte(free: int, total: int, low: bool) -> None:
    assert Room(free, total).low is low


def test_the_room_is_what_the_file_system_says_also_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    there = room(tmp_path / "state" / "poller.db")
    found = os.statvfs(tmp_path)
    assert there.total_bytes == found.f_blocks * found.f_frsize
    assert 0 < there.free_bytes <= there.total_bytes
    assert there.free_percent == pytest.approx(100 * there.free_bytes / there.total_bytes)


def test_the_reserve_is_really_allocated_given_up_once_and_filled_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "poller.db")
    assert not reserve.given_up, "one that never was is not missed"
    assert not reserve.give_up()
    reserve.keep(AMPLE)
    assert reserve.path == tmp_path / "poller.db.reserve"
    assert reserve.path.stat().st_blocks * 512 >= RESERVE_BYTES
    assert reserve.path.stat().st_mode & 0o777 == 0o600
    assert reserve.give_up()
    assert Reserve(tmp_path / "poller.db").given_up, "every process sees it"
    assert not reserve.give_up()
    reserve.keep(AMPLE)
    assert not reserve.given_up
    assert reserve.path.stat().st_size == RESERVE_BYTES


@pytest.mark.parametrize(
    "there", [Room(2 * RESERVE_BYTES - 1, 20 * RESERVE_BYTES), Room(GIB + RESERVE_BYTES - 1, 100 * GIB)]
)
def test_no_reserve_is_taken_from_a_disk_that_needs_its_room(tmp_path: Path, there: Room) -> None:
    reserve = Reserve(tmp_path / "poller.db")
    reserve.keep(there)
    assert not reserve.path.exists()


def test_a_link_in_the_place_of_the_reserve_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    reserve = Reserve(tmp_path / "poller.db")
    reserve.path.symlink_to(precious)
    reserve.keep(AMPLE)
    assert not reserve.give_up()
    assert precious.read_text() == "precious"


def test_a_reserve_that_cannot_be_made_is_no_reason_not_to_open_the_journal(path: Path) -> None:
    path.with_name("poller.db.reserve").mkdir()
    with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
        assert work.store_poll(poll("web1"), values(1))


def test_only_a_full_disk_is_helped_by_more_room() -> None:
    full = StoreError("the disk is full", code="full")
    batch = StoreError("the batch was given up", code="aborted")
    batch.__cause__ = full
    assert is_full(full) and is_full(batch)
    assert not is_full(StoreError("it is damaged", code="corrupt"))


def test_five_writers_lock_nobody_out_and_the_log_stays_short_beside_those_who_look(path: Path) -> None:
    seen = contend(path, transactions=500, reader="looks")
    assert seen.failed == 0
    assert seen.log_bytes < 64 << 20


def test_ten_minutes_of_fifty_hosts_beside_a_reader_that_lingers_stay_below_64_mb(path: Path) -> None:
    seen = contend(path, transactions=50, batch=10, reader="lingers")
    assert (seen.polls, seen.failed) == (500, 0)
    assert seen.log_bytes < 64 << 20

"""How many hosts a machine can poll: arithmetic that can be done on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poller.capacity import (
    ARCHIVE_ROWS,
    DAY,
    HEADROOM,
    OWN_FILES,
    POLL_BYTES,
    WINDOW_BYTES,
    Limit,
    Machine,
    PerHost,
    PerPoll,
    Plan,
    limits,
    outliving_bytes,
    yields,
)
from poller.model import Retention

POLL = PerPoll(cpu=0.002, rows=60.0, disk_bytes=4000.0, network_bytes=5000.0)
HOST = PerHost(bytes=200e3, base_bytes=50e6, measured=True)
MACHINE = Machine(cores=4, memory_bytes=8e9, files=65536, threads=32768, ports=28232, disk_bytes=500e9)
PLAN = Plan(interval=60.0, processes=1, kept_seconds=14 * DAY, archived=False)


def at(hosts: int, **changes: object) -> dict[str, Limit]:
    plan = replace(PLAN, **changes)  # type: ignore[arg-type]
    return {limit.name: limit for limit in limits(hosts, POLL, HOST, MACHINE, plan)}


def test_a_host_needs_what_its_polls_need() -> None:
    found = yields(POLL, HOST, PLAN)
    assert found.hosts_per_core == pytest.approx(HEADROOM * 60 / 0.002)
    assert found.hosts_per_gb == pytest.approx(HEADROOM * 5000)
    assert found.network_bytes_per_day == 1440 * 5000
    assert found.disk_bytes_per_year == 365 * 1440 * 4000
    assert found.disk_bytes_settled == 14 * 1440 * 4000


KEPT = Retention(samples=14 * DAY, fives=90 * DAY, hours=730 * DAY, polls=90 * DAY)


def test_what_is_kept_longer_than_samples_takes_room_too() -> None:
    windows = 76 * 288 + 716 * 24
    assert outliving_bytes(KEPT, 60.0, 10.0) == pytest.approx(10 * windows * WINDOW_BYTES + 76 * 1440 * POLL_BYTES)
    plan = replace(PLAN, outliving_bytes=50e6)
    assert yields(POLL, HOST, plan).disk_bytes_settled == 14 * 1440 * 4000 + 50e6
    assert at(1000, outliving_bytes=50e6)["disk"].need == pytest.approx(1000 * (14 * 1440 * 4000 + 50e6))


def test_there_is_no_more_of_it_than_a_host_is_old() -> None:
    assert outliving_bytes(KEPT, 60.0, 10.0, age=14 * DAY) == 0
    month = outliving_bytes(KEPT, 60.0, 10.0, age=30 * DAY)
    assert month == pytest.approx(10 * 16 * (288 + 24) * WINDOW_BYTES + 16 * 1440 * POLL_BYTES)


def test_hosts_that_are_polled_seldom_leave_no_more_windows_than_polls() -> None:
    assert outliving_bytes(KEPT, 7200.0, 1.0) == pytest.approx(
        (76 * 12 + 716 * 12) * WINDOW_BYTES + 76 * 12 * POLL_BYTES
    )


def test_a_limit_is_reached_at_the_number_of_hosts_that_it_names() -> None:
    for name, limit in at(1000).items():
        there = at(int(limit.hosts))[name]
        assert there.share <= 1.0, name
        beyond = at(int(limit.hosts) + 2)[name]
        assert beyond.share > 1.0, name


def test_what_breaks_first_comes_first() -> None:
    found = limits(100_000, POLL, HOST, MACHINE, PLAN)
    assert [limit.share for limit in found] == sorted((limit.share for limit in found), reverse=True)
    assert found[0].hosts == min(limit.hosts for limit in found)


def test_twice_the_interval_halves_what_polls_need_and_nothing_else() -> None:
    once, twice = at(1000), at(1000, interval=120.0)
    for name in ("CPU", "intake thread", "SQLite writes", "archive writes", "network", "disk"):
        assert twice[name].need == pytest.approx(once[name].need / 2), name
    for name in ("memory", "open files", "threads", "local ports"):
        assert twice[name].need == once[name].need, name


def test_processes_bring_cores_and_files_but_no_second_intake() -> None:
    one, three, many = at(1000), at(1000, processes=3), at(1000, processes=64)
    assert three["CPU"].hosts == pytest.approx(3 * one["CPU"].hosts)
    assert many["CPU"].hosts == pytest.approx(4 * one["CPU"].hosts), "there are four cores"
    assert three["open files"].has == 3 * one["open files"].has
    assert three["intake thread"].hosts == one["intake thread"].hosts
    assert "processes" in one["CPU"].way_out and "processes" not in many["CPU"].way_out


def test_a_resident_host_takes_two_files_and_a_cold_one_one() -> None:
    assert at(1000)["open files"].need == 2000 + OWN_FILES
    cold = {limit.name: limit for limit in limits(1000, POLL, replace(HOST, held=False), MACHINE, PLAN)}
    assert cold["open files"].need == 1000 + OWN_FILES


def test_one_configuration_holds_ten_thousand_hosts() -> None:
    found = at(20_000)["config.xml"]
    assert (found.hosts, found.share, found.measured) == (10_000, 2.0, True) and "second poller" in found.way_out


def test_an_archive_that_is_not_used_is_said_to_be_none() -> None:
    assert at(10)["archive writes"].has == ARCHIVE_ROWS
    assert "none is used" in at(10)["archive writes"].way_out
    assert "none is used" not in at(10, archived=True)["archive writes"].way_out


def test_a_machine_without_room_breaks_at_no_host_and_not_in_a_division() -> None:
    none = Machine(cores=1, memory_bytes=0, files=0, threads=0, ports=0, disk_bytes=0)
    found = limits(1, replace(POLL, network_bytes=0.0), HOST, none, PLAN)
    assert {limit.name for limit in found if limit.share > 1} >= {"memory", "open files", "threads", "disk"}
    assert all(limit.hosts >= 0 for limit in found)


def test_what_is_assumed_is_marked() -> None:
    assumed = replace(POLL, cpu_measured=False, disk_measured=False)
    found = {limit.name: limit.measured for limit in limits(10, assumed, replace(HOST, measured=False), MACHINE, PLAN)}
    assert not found["CPU"] and not found["disk"] and not found["memory"] and not found["intake thread"]
    assert found["open files"] and found["threads"]

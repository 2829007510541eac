"""CPU between two polls, and which processes are told."""

from __future__ import annotations

import pytest

from poller.findings.processes import busiest
from poller.model import Process, Reading, Section, SectionStatus, Watch
from tests.findings.readings import reading, section


def process(pid: int, cpu: float = 0.0, memory: int = 0, started: float = 5.0) -> Process:
    return Process(pid, f"p{pid}", 1000, "web", "S", 1, started, cpu, memory, "")


def percents(before: Reading | None, now: Reading, top: int = 10) -> list[tuple[int, float | None]]:
    return [(pid, percent) for pid, _, _, _, percent, _, _ in busiest(before, now, Watch(top=top))]


def top(*rows: Process, uptime: float = 1000.0, boot: str = "boot-1", read: float | None = None) -> Reading:
    return reading(section("top", *rows, uptime=read), uptime=uptime, boot=boot)


def test_cpu_is_of_one_core_and_the_busiest_come_first() -> None:
    before = top(process(1, 10.0), process(2, 10.0), uptime=940.0)
    assert percents(before, top(process(1, 40.0), process(2, 130.0))) == [(2, 200.0), (1, 50.0)]


def test_at_first_the_largest_are_told_without_a_percentage() -> None:
    assert percents(None, top(process(1, 5.0, 10), process(2, 9.0, 20)), top=1) == [(2, None)]


def test_the_busiest_and_the_largest_are_merged() -> None:
    rows = [process(pid, float(pid), memory=100 - pid) for pid in range(1, 31)]
    before = top(*(process(pid) for pid in range(1, 31)), uptime=900.0)
    assert [pid for pid, _ in percents(before, top(*rows), top=3)] == [30, 29, 28, 3, 2, 1]


def test_a_pid_that_came_round_is_another_process() -> None:
    before = top(process(7, 100.0, started=5.0), uptime=940.0)
    assert percents(before, top(process(7, 130.0, started=500.0))) == [(7, None)]


def test_what_began_since_the_last_poll_had_used_nothing_then() -> None:
    now = top(process(7, 30.0, started=941.0), process(8, 12.0, started=1000.5), process(9, 7.0, started=940.5))
    assert percents(top(process(9, 1.0, started=940.5), uptime=940.0), now) == [(7, 50.0), (8, 20.0), (9, 10.0)]


def test_in_a_container_that_has_an_uptime_of_its_own_nothing_seems_new() -> None:
    before = top(process(7, 100.0, started=90_000.0), uptime=940.0)
    now = top(process(7, 130.0, started=90_000.0), process(8, 500.0, started=90_001.0))
    assert percents(before, now) == [(7, 50.0), (8, None)]


def test_what_was_there_and_was_not_told_has_no_percentage() -> None:
    assert percents(top(uptime=940.0), top(process(7, 30.0, started=900.0))) == [(7, None)]


@pytest.mark.parametrize(
    "before", [top(process(7, 1.0), boot="boot-0", uptime=900.0), top(process(7, 1.0), read=1000.0)]
)
def test_of_another_boot_or_of_the_same_moment_nothing_is_counted(before: Reading) -> None:
    assert percents(before, top(process(7, 30.0))) == [(7, None)]


def test_a_section_that_is_read_seldom_counts_from_when_it_was_read() -> None:
    before = top(process(7, 10.0), uptime=940.0, read=400.0)
    assert percents(before, top(process(7, 310.0))) == [(7, 50.0)]


def test_a_section_that_was_not_read_tells_nothing() -> None:
    denied = Section("top", SectionStatus.DENIED, "hidden", 0.0)
    assert busiest(None, reading(), Watch()) == busiest(None, reading(denied), Watch()) == ()
    assert percents(reading(denied, uptime=900.0), top(process(1, 5.0))) == [(1, None)]


def test_a_row_says_all_there_is_to_say() -> None:
    row = Process(7, "nginx", 33, "www-data", "R", 4, 5.0, 9.0, 4096, "nginx: worker")
    assert busiest(None, top(row), Watch()) == ((7, "nginx", 33, "www-data", None, 4096, "nginx: worker"),)

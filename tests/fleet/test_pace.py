"""When a host is polled next: on its own instants, never two at once, sooner after a loss, once after a long sleep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.fleet.pace import LATE, LONGEST, LONGEST_WATCHED, Next, Pace, backoff, belated, first

SECONDS = st.floats(0, 1e6)
INTERVALS = st.floats(1, 3600)


@given(SECONDS, INTERVALS, SECONDS)
def test_the_next_instant_is_the_nearest_that_has_not_passed(begin: float, interval: float, later: float) -> None:
    pace, now = Pace(begin, interval), begin + later
    assert now <= pace.after(now) <= now + interval * 1.000001 + 1e-6


def test_instants_that_were_missed_are_not_made_up_for() -> None:
    """Ten minutes of a process that was stopped are one poll."""
    pace = Pace(0.0, 60.0)
    assert pace.next(601.0, 0.0, 0, 0.5, again=False) == Next(660.0)


def test_a_poll_that_takes_longer_than_the_interval_leaves_instants_out() -> None:
    assert Pace(0.0, 5.0).next(12.0, 0.0, 0, 0.5, again=False) == Next(15.0)


@given(st.integers(0, 50), st.floats(0, 1), st.booleans())
def test_the_wait_after_a_failure_doubles_up_to_a_minute(tries: int, chance: float, watched: bool) -> None:
    wait = backoff(tries, chance, watched=watched)
    assert 0.5 <= wait <= (LONGEST_WATCHED if watched else LONGEST)
    assert backoff(tries + 1, chance, watched=watched) >= wait


def test_a_lost_host_is_tried_again_before_it_is_due() -> None:
    pace, waits, now = Pace(0.0, 60.0), [], 1.0
    for tries in range(1, 6):
        planned = pace.next(now, now, tries, 0.0, again=True)
        assert not planned.due
        waits.append(planned.at - now)
        now = planned.at
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert pace.next(now, now, 6, 0.0, again=True) == Next(60.0), "by then it is due"


def test_a_host_that_is_not_reached_is_asked_at_least_each_minute() -> None:
    assert Pace(0.0, 5.0).next(1.0, 0.0, 20, 0.0, again=True) == Next(60.0)
    assert Pace(0.0, 60.0).next(10.0, 0.0, 20, 0.0, again=True) == Next(60.0)
    assert Pace(0.0, 300.0).next(10.0, 0.0, 20, 0.0, again=True) == Next(60.0, due=False)


@given(SECONDS, INTERVALS, st.integers(0, 50), st.floats(0, 1), st.floats(0, 30), st.booleans())
def test_a_try_is_never_in_the_past_and_never_later_than_it_may_be(
    began: float, interval: float, tries: int, chance: float, took: float, watched: bool
) -> None:
    now = began + took
    planned = Pace(0.0, interval).next(now, began, tries, chance, again=True, watched=watched, ended=now)
    assert planned.at >= now
    assert planned.at <= max(now + interval, began + max(interval, LONGEST)) * 1.000001


def test_who_is_watched_is_tried_every_few_seconds() -> None:
    planned = Pace(0.0, 60.0).next(20.0, 20.0, 30, 0.0, again=True, watched=True)
    assert planned == Next(25.0, due=False)


def test_the_wait_counts_from_the_end_of_a_try_and_for_who_is_watched_from_its_beginning() -> None:
    pace = Pace(0.0, 300.0)
    assert pace.next(31.0, 1.0, 4, 0.0, again=True, ended=31.0) == Next(39.0, due=False)
    assert pace.next(5.0, 1.0, 4, 0.0, again=True, ended=5.0, watched=True) == Next(6.0, due=False)
    assert pace.next(50.0, 50.0, 1, 0.0, again=True, ended=31.0) == Next(51.0, due=False), "lost since"


def test_however_long_a_try_takes_the_host_is_polled_when_it_is_due() -> None:
    assert Pace(0.0, 60.0).next(30.0, 0.0, 20, 0.0, again=True, ended=30.0) == Next(60.0)
    assert Pace(0.0, 5.0).next(30.0, 0.0, 20, 0.0, again=True, ended=30.0) == Next(60.0)


def test_a_poll_that_was_late_stands_for_the_instant_right_after_it() -> None:
    """A process that was stopped: its hosts are asked on return, and not once more a moment later."""
    pace = Pace(0.0, 60.0)
    assert pace.next(599.5, 599.0, 0, 0.5, again=False, told=599.0) == Next(660.0)
    assert pace.next(575.5, 575.0, 0, 0.5, again=False, told=575.0) == Next(660.0)
    assert pace.next(569.5, 569.0, 0, 0.5, again=False, told=569.0) == Next(600.0)


@given(SECONDS, INTERVALS, st.floats(0, 30))
def test_one_that_was_on_time_stands_for_its_own_instant_alone(begin: float, interval: float, took: float) -> None:
    pace, now = Pace(begin, interval), begin + took
    assert pace.next(now, begin, 0, 0.5, again=False, told=begin) == pace.next(now, begin, 0, 0.5, again=False)


def test_a_try_that_failed_stands_for_no_instant() -> None:
    """So that a host that is away has its failed polls at its own instants."""
    assert Pace(0.0, 60.0).next(59.0, 58.0, 6, 0.0, again=True, told=0.0) == Next(60.0)


@given(st.text(min_size=1), st.integers(1, 5000), INTERVALS)
def test_first_polls_are_spread_over_the_interval_at_most(name: str, count: int, interval: float) -> None:
    at = first(name, 100.0, interval, count)
    assert 100.0 <= at < 100.0 + interval
    assert at == first(name, 100.0, interval, count)


def test_a_few_hosts_begin_at_once() -> None:
    assert first("web1", 100.0, 60.0, 4) == 100.0


@pytest.mark.parametrize("late", [0.0, LATE])
def test_a_host_that_is_a_little_late_is_polled_at_once(late: float) -> None:
    assert belated(10.0, 10.0 + late, 60.0, 0.9) == 10.0 + late


def test_after_a_sleep_of_the_whole_poller_its_hosts_do_not_begin_together() -> None:
    begins = {belated(10.0, 610.0, 60.0, chance) for chance in (0.0, 0.25, 0.5, 1.0)}
    assert len(begins) == 4
    assert min(begins) == 610.0 and max(begins) <= 615.0

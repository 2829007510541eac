"""The line through the last hours: robust, silent on too little, and quick however many points there are."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.model import Threshold
from poller.rules import judge, needs
from poller.rules.forecast import FEWEST, MOST, lookback, reaches, seconds_left, thinned, trend
from tests.rules.worlds import NOW_MS, minutes, past, world

DAY = 86400.0


def points(of: Callable[[int], float], count: int = 72, step_s: int = 300) -> list[tuple[int, float]]:
    """`of` gives the value of so many steps ago."""
    return [(NOW_MS - 1000 * step_s * ago, of(ago)) for ago in range(count, -1, -1)]


def test_a_steady_rise_reaches_its_limit_when_it_does() -> None:
    rising = points(lambda ago: 90 - ago / 12)  # one percent an hour
    assert reaches(rising, NOW_MS, 100, DAY, above=True) is True
    assert reaches(rising, NOW_MS, 100, 9 * 3600, above=True) is False
    assert seconds_left(rising, NOW_MS, 100) == pytest.approx(36000)


def test_downwards_is_upwards_upside_down() -> None:
    falling = points(lambda ago: 10 + ago / 12)
    assert reaches(falling, NOW_MS, 0, DAY, above=False) is True
    assert reaches(falling, NOW_MS, 0, 9 * 3600, above=False) is False
    assert reaches(falling, NOW_MS, 100, DAY, above=True) is False


def test_without_a_past_nothing_is_said_even_of_what_is_there_already() -> None:
    assert reaches([(NOW_MS, 100.0)], NOW_MS, 100, DAY, above=True) is None
    assert reaches([(NOW_MS, 0.0)], NOW_MS, 0, DAY, above=False) is None


def test_too_little_is_unknown() -> None:
    rising = points(lambda ago: 90 - ago / 12)
    assert reaches(rising[-FEWEST + 1 :], NOW_MS, 100, DAY, above=True) is None
    assert reaches(rising[-30:], NOW_MS, 100, DAY, above=True) is None  # less than half of six hours
    assert reaches(rising[-40:], NOW_MS, 100, DAY, above=True) is True
    assert reaches([], NOW_MS, 100, DAY, above=True) is None
    same = [(NOW_MS, 1.0)] * 50
    assert reaches(same, NOW_MS, 100, DAY, above=True) is None


def test_noise_is_no_trend() -> None:
    dice = random.Random(1)
    silent = sum(
        reaches(points(lambda ago: 50 + dice.uniform(-5, 5)), NOW_MS, 56, DAY, above=True) is False for _ in range(100)
    )
    assert silent >= 90


def test_a_few_wild_points_do_not_move_it() -> None:
    dice = random.Random(2)
    wild = set(dice.sample(range(10, 72), 15))
    rising = points(lambda ago: 5.0 if ago in wild else 90 - ago / 12)
    assert reaches(rising, NOW_MS, 100, DAY, above=True) is True
    assert seconds_left(rising, NOW_MS, 100) == pytest.approx(36000, rel=0.2)


def test_what_was_freed_a_moment_ago_counts_at_once() -> None:
    cleaned = points(lambda ago: (90 if ago > 3 else 40) - ago / 12)
    assert reaches(cleaned, NOW_MS, 100, DAY, above=True) is False


def test_it_looks_back_a_quarter_of_the_time_ahead() -> None:
    assert [lookback(within) for within in (600, 4 * 3600, DAY, 30 * DAY)] == [3600, 3600, DAY / 4, DAY]
    threshold = Threshold("disk.percent", above=100.0, within=DAY)
    assert dict(needs([threshold]).series) == {"disk.percent": DAY / 4}


def test_many_points_are_thinned_and_show_the_same() -> None:
    rising = points(lambda ago: 90 - ago / 720, 20_000, 5)
    began = time.thread_time()
    assert len(thinned(rising)) <= MOST
    assert reaches(rising, NOW_MS, 100, 4 * DAY, above=True) is True
    assert time.thread_time() - began < 0.5
    assert trend(thinned(rising)) == pytest.approx(1 / 3600)


@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.floats(allow_nan=False, allow_infinity=False)), max_size=120),
    st.booleans(),
)
def test_whatever_the_past_it_gives_an_answer(found: list[tuple[int, float]], above: bool) -> None:
    found.sort(key=lambda point: point[0])
    assert reaches(found, 10**8, 50.0, DAY, above=above) in (True, False, None)
    seconds_left(found, 10**8, 50.0)


def test_a_threshold_with_within_is_judged_by_it() -> None:
    threshold = Threshold("disk.percent", (("mountpoint", "/"),), above=100.0, clear=80.0, within=DAY)
    history = past("disk.percent", [90 - ago / 12 for ago in range(72, 0, -1)], "/", 300)
    full = world({"disk.percent": {"/": 90.0, "/srv": 99.0}}, history=history)
    (verdict,) = judge([threshold], full)
    assert (str(verdict.standing), verdict.value, verdict.saw) == ("breach", 90.0, "disk.percent 90, 100 in 10h")
    low = world({"disk.percent": {"/": 70.0}}, history=past("disk.percent", [70.0] * 72, "/", 300))
    assert [str(each.standing) for each in judge([threshold], low)] == ["ok"]
    (new,) = judge([threshold], world({"disk.percent": {"/": 90.0}}))
    assert str(new.standing) == "unknown"
    assert minutes([1.0])[0][0] == NOW_MS - 60_000

"""How many hosts are polled at once: those that may hang leave room for the others, and are not forgotten either."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from poller.fleet.places import Places

DEADLINE = 30.0
PATIENCE = 10.0


class Waiting:
    """Somebody who waits for a place, in a thread of its own; `who` has it once `entered`."""

    def __init__(self, places: Places, who: str, *, doubtful: bool) -> None:
        self.entered = threading.Event()
        self.refused = threading.Event()
        thread = threading.Thread(target=self._wait, args=(places, who, doubtful), daemon=True)
        thread.start()

    def _wait(self, places: Places, who: str, doubtful: bool) -> None:
        (self.entered if places.enter(who, DEADLINE, doubtful=doubtful) else self.refused).set()


def wait_until(done: Callable[[], bool]) -> bool:
    ends = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < ends:
        time.sleep(0.01)
    return done()


def inside(who: list[Waiting]) -> int:
    return sum(one.entered.is_set() for one in who)


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (200, 100)])
def test_hosts_that_may_hang_take_half_of_the_places_and_others_have_the_rest_at_once(count: int, most: int) -> None:
    places = Places(count)
    doubtful = [Waiting(places, f"dark{number}", doubtful=True) for number in range(most + 1)]
    assert wait_until(lambda: inside(doubtful) == most), "one at least, however few places there are"
    assert all(places.enter(f"web{number}", DEADLINE) for number in range(count - most))
    assert (places.busy, inside(doubtful)) == (count, most)
    places.close()


def test_who_waits_because_it_may_hang_gets_on_when_another_of_them_leaves() -> None:
    places = Places(4)
    assert places.enter("dark0", DEADLINE, doubtful=True) and places.enter("dark1", DEADLINE, doubtful=True)
    waiting = [Waiting(places, f"dark{number}", doubtful=True) for number in range(2, 6)]
    for number in range(4):
        assert places.enter("web", DEADLINE) and places.leave("web"), "others come and go meanwhile"
        assert inside(waiting) == number
        assert any(places.leave(f"dark{one}") for one in range(6))
        assert wait_until(lambda count=number + 1: inside(waiting) == count)  # type: ignore[misc]
    assert places.busy == 2


def test_one_of_them_is_always_polled_however_busy_the_others_are() -> None:
    places = Places(4)
    assert all(places.enter(f"web{number}", DEADLINE) for number in range(4))
    dark = Waiting(places, "dark", doubtful=True)
    assert not dark.entered.is_set()
    assert places.leave("web0")
    assert dark.entered.wait(PATIENCE)
    assert places.busy == 4


def test_nobody_waits_for_ever_when_there_are_no_places_any_more() -> None:
    places = Places(1)
    assert places.enter("dark0", DEADLINE, doubtful=True)
    waiting = [Waiting(places, "dark1", doubtful=True), Waiting(places, "web", doubtful=False)]
    places.close()
    assert all(one.refused.wait(PATIENCE) for one in waiting)

"""What the hosts' threads bring is handed over in company: polls once they have waited enough, the rest at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from poller.bell import Bell
from poller.fleet import tray as tray_module
from poller.fleet.tray import Tray
from poller.model import Encounter, Push
from tests.store.machines import poll

HOUR = 3600.0
MakeTray = Callable[[float], Tray]


@pytest.fixture
def make() -> Iterator[MakeTray]:
    made: list[Tray] = []

    def tray(linger: float) -> Tray:
        made.append(Tray(linger))
        return made[-1]

    yield tray
    for one in made:
        one.close()


def test_polls_wait_for_company_however_often_somebody_looks(make: MakeTray) -> None:
    tray = make(HOUR)
    tray.poll(poll("web1"))
    assert tray.take(time.monotonic() + 0.05, 10).polls == ()
    tray.poll(poll("web2"))
    assert tray.take(0.0, 10).polls == ()
    assert [one.host for one in tray.rest().polls] == ["web1", "web2"]
    assert tray.rest().polls == ()


def test_what_a_host_pushes_comes_at_once_and_leaves_polls_to_their_company(make: MakeTray) -> None:
    tray = make(HOUR)
    tray.poll(poll("web1"))
    tray.push(Push("web2", 1, 1))
    arrivals = tray.take(time.monotonic() + HOUR, 10)
    assert (len(arrivals.polls), len(arrivals.pushes)) == (0, 1)
    assert len(tray.rest().polls) == 1


def test_polls_come_when_somebody_waits_for_one_when_there_are_many_and_when_the_first_has_waited(
    make: MakeTray,
) -> None:
    tray = make(HOUR)
    tray.poll(poll("web1"))
    tray.poll(poll("web2"), urgent=True)
    assert len(tray.take(time.monotonic() + HOUR, 10).polls) == 2
    for number in range(5):
        tray.poll(poll(f"web{number}"))
    assert [one.host for one in tray.take(time.monotonic() + HOUR, 3).polls] == ["web0", "web1", "web2"]
    assert [one.host for one in tray.take(time.monotonic() + HOUR, 3).polls] == ["web3", "web4"], "they waited as long"
    soon = make(0.05)
    soon.poll(poll("web1"))
    assert len(soon.take(time.monotonic() + HOUR, 10).polls) == 1


def test_of_what_there_was_no_room_for_it_is_known_how_much_it_was(
    make: MakeTray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tray_module, "MOST_ROWS", 5)
    tray, contact = make(HOUR), Encounter("tcp", "10.1.0.11", 40000, "10.1.0.7", 445, 0, "packet")
    for number in range(1, 5):
        tray.push(Push("web1", number, number, encounters=(contact, contact), lost=number))
    tray.push(Push("web2", 1, 5))
    pushes = tray.take(0.0, 10).pushes
    assert [(one.host, one.sequence, len(one.encounters), one.lost) for one in pushes] == [
        ("web1", 3, 0, 1 + 2 + 3 + 3 * 2), ("web1", 4, 2, 4), ("web2", 1, 0, 0)
    ]  # fmt: skip
    assert tray.rest().pushes == (), "said once"


def test_who_takes_is_woken_by_a_word_or_by_a_file_as_well(make: MakeTray) -> None:
    tray, other = make(HOUR), Bell()
    try:
        tray.poll(poll("web1"))
        tray.ring()
        assert tray.take(time.monotonic() + HOUR, 10).polls == () and tray.woken
        other.set()
        assert tray.take(time.monotonic() + HOUR, 10, other.fileno()).polls == () and tray.woken
        tray.take(0.0, 10, other.fileno())
        assert not tray.woken, "it did not wait"
    finally:
        other.close()

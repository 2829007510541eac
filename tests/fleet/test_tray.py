"""What the hosts' threads bring is handed over in company: polls once they have waited enough, the rest at once."""

from __future__ import annotations

import time

from poller.fleet.tray import Tray
from poller.model import Push
from tests.store.machines import poll

HOUR = 3600.0


def test_polls_wait_for_company_however_often_somebody_looks() -> None:
    tray = Tray(HOUR)
    tray.poll(poll("web1"))
    assert tray.take(time.monotonic() + 0.05, 10).polls == ()
    tray.poll(poll("web2"))
    assert tray.take(0.0, 10).polls == ()
    assert [one.host for one in tray.rest().polls] == ["web1", "web2"]
    assert tray.rest().polls == ()


def test_what_a_host_pushes_comes_at_once_and_leaves_polls_to_their_company() -> None:
    tray = Tray(HOUR)
    tray.poll(poll("web1"))
    tray.push(Push("web2", 1, 1))
    arrivals = tray.take(time.monotonic() + HOUR, 10)
    assert (len(arrivals.polls), len(arrivals.pushes)) == (0, 1)
    assert len(tray.rest().polls) == 1


def test_polls_come_when_somebody_waits_for_one_when_there_are_many_and_when_the_first_has_waited() -> None:
    tray = Tray(HOUR)
    tray.poll(poll("web1"))
    tray.poll(poll("web2"), urgent=True)
    assert len(tray.take(time.monotonic() + HOUR, 10).polls) == 2
    for number in range(5):
        tray.poll(poll(f"web{number}"))
    assert [one.host for one in tray.take(time.monotonic() + HOUR, 3).polls] == ["web0", "web1", "web2"]
    assert [one.host for one in tray.take(time.monotonic() + HOUR, 3).polls] == ["web3", "web4"], "they waited as long"
    soon = Tray(0.05)
    soon.poll(poll("web1"))
    assert len(soon.take(time.monotonic() + HOUR, 10).polls) == 1

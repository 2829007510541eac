"""One host's thread at the edges: dropped in the middle of a poll, and faults of the poller itself."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from poller.asking import Admission
from poller.fleet.keeper import Keeper, Yard
from poller.fleet.places import Places
from poller.fleet.tray import MOST_ROWS, Tray
from poller.model import Before, Deadline, Encounter, Link, LinkState, Push
from poller.resident import Resident
from poller.store import Journal
from poller.store.lock import Leases
from tests.end_to_end.sshd import Sshd, free_port
from tests.fleet.running import SEEN, running, seldom


class Dropping(Tray):
    """As if a reload took the host away at the very moment at which its poll is over."""

    keeper: Keeper

    def link(self, link: LinkState) -> None:
        self.keeper.end(dropped=True)


def test_a_host_that_is_dropped_while_its_poll_ends_is_left_to_others(tmp_path: Path, sshd: Sshd) -> None:
    journal = tmp_path / "poller.db"
    Journal.open(journal, now_ms=0).close()
    admission, tray = Admission(journal), Dropping()
    host = seldom(sshd.host("gone", port=free_port()))
    tray.keeper = Keeper(host, Before(), Yard(admission, Places(1), tray, lambda keeper: None), time.monotonic())
    tray.keeper.run()
    with Leases(journal) as others:
        others.acquire("gone", Deadline(1.0))
    assert tray.rest().polls == (), "nobody wants it any more"
    admission.close()
    tray.close()


def test_whatever_fails_inside_the_poller_the_host_keeps_its_thread(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        failed: list[str] = []

        def fails_twice(name: str) -> None:
            real = getattr(Resident, name)

            def fail(resident: Resident, *arguments: object) -> object:
                if name not in failed:
                    failed.append(name)
                    raise RuntimeError(name)
                return real(resident, *arguments)

            monkeypatch.setattr(Resident, name, fail)

        fails_twice("listen")
        fails_twice("close")
        run.ask()
        run.until(lambda: failed == ["listen", "close"], "both have failed")
        assert run.ask().outcome in SEEN


def test_a_host_that_is_cold_no_more_is_held(tmp_path: Path, sshd: Sshd) -> None:
    host = seldom(sshd.host())
    with running(tmp_path, replace(host, cold=True)) as run:
        run.polled(1)
        assert (run.link().link, run.link().reason) == (Link.COLD, "")
        run.engine.change([host], {})
        assert run.ask().outcome in SEEN
        run.until(lambda: run.link().link is Link.CONNECTED, "it is held")


def test_pushes_that_nobody_takes_are_bounded_and_the_oldest_go() -> None:
    tray = Tray()
    met = Encounter("tcp", "192.0.2.1", 1000, "192.0.2.2", 80, 0, "packet")
    most = MOST_ROWS // 1000
    for number in range(1, most + 51):
        tray.push(Push("web1", number, number, encounters=(met,) * 999))
    gone, *pushes = tray.take(0.0, 10).pushes
    assert (gone.encounters, gone.lost) == ((), 50 * 999), "which is said"
    assert [push.sequence for push in pushes] == list(range(51, most + 51))
    tray.push(Push("web1", 1, 1))
    assert [push.sequence for push in tray.take(0.0, 10).pushes] == [1], "it counts anew"
    tray.close()

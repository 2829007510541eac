"""The hold on one host: what it is dialled for, what it said last, and when its session was another one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from poller.fleet.agenda import Agenda
from poller.fleet.holding import DIAL, Holding
from poller.fleet.tray import Tray
from poller.fleet.wishes import Wishes
from poller.model import Host, Link, LinkState
from poller.ssh import Gates
from tests.end_to_end.sshd import Sshd
from tests.fleet.running import SEEN, Running, running, seldom
from tests.stopped import stop


@contextmanager
def holding(host: Host, *, live: bool) -> Iterator[Holding]:
    wishes, tray = Wishes(live=live), Tray()
    try:
        yield Holding(host, Agenda(time.monotonic(), 60.0), wishes, tray, Gates(), fits=True)
    finally:
        wishes.close()
        tray.close()


@pytest.mark.parametrize(("live", "seconds"), [(True, DIAL), (False, None)])
def test_a_host_that_is_watched_is_dialled_for_a_few_seconds_at_a_time(live: bool, seconds: float | None) -> None:
    with holding(Host("web1", "192.0.2.1"), live=live) as held:
        held.begin()
        assert held.resident.dial == seconds


@pytest.mark.parametrize("late", [True, False])
def test_a_loss_that_is_noticed_when_the_host_is_due_does_not_take_that_instant_away(*, late: bool) -> None:
    """Each instant is a poll that is told, or the host would be down an interval later."""
    wishes, tray = Wishes(live=False), Tray()
    agenda = Agenda(time.monotonic() - 0.01 if late else time.monotonic() + 60.0, 60.0)
    held = Holding(Host("web1", "192.0.2.1"), agenda, wishes, tray, Gates(), fits=True)
    held.lost()
    wishes.close()
    tray.close()
    assert agenda.next is not None and agenda.next.due is late


def last(run: Running, link: Link) -> LinkState | None:
    return next((state for state in reversed(run.links) if state.link is link), None)


def test_a_session_that_breaks_under_a_poll_is_told_as_another_one(tmp_path: Path, sshd: Sshd) -> None:
    """The poll goes on in a new one and succeeds: only the instant since when, and why, tell that it did."""
    with running(tmp_path, replace(seldom(sshd.host()), live=True)) as run:
        run.polled(1)
        run.until(lambda: len(run.pushes) >= 1, "it pushes")
        first = last(run, Link.CONNECTED)
        assert first is not None
        keeper, sessions = run.engine._keepers["web1"], sshd.children()
        for pid in sessions:
            stop(pid)
        run.engine.poll_now(["web1"])
        run.until(lambda: not keeper.wishes.now, "the poll is under way")
        for pid in sessions:
            os.kill(pid, signal.SIGKILL)
        polled = run.polled(2)[-1]
        assert polled.outcome in SEEN
        run.until(lambda: (last(run, Link.CONNECTED) or first).since_ms != first.since_ms, "another session")
        state = last(run, Link.CONNECTED)
        assert state is not None and state.reason.startswith("probe/closed: ")
        assert last(run, Link.LOST) is None
        assert first.since_ms < polled.heard_ms < polled.answered_ms

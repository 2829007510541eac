"""A poller that stood still while a host was polled: one poll of it on return, and no more than that.

What SIGSTOP and SIGCONT do to it is brought about here at the one place that matters: the deadline passed before the
answer was read, and whoever watches over deadlines ends the session behind it. With a real sshd.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.clock import now_ms
from poller.model import Before, Host, Link, Poll
from poller.resident import Resident
from tests.end_to_end.sshd import Sshd
from tests.fleet.running import Running, good, running, seldom

DEADLINE = 5.0
Ask = Callable[..., tuple[Poll, bool]]


def late(real: Ask, deadline: float = DEADLINE) -> Ask:
    """The first poll is answered, and only then goes on what stood still until its deadline had passed."""
    polled: list[str] = []

    def ask(host: Host, before: Before, resident: Resident, **words: Any) -> tuple[Poll, bool]:
        began = time.monotonic()
        found = real(host, before, resident, **words)
        if host.name not in polled:
            polled.append(host.name)
            while time.monotonic() < began + deadline:
                time.sleep(0.01)
            session = resident._session
            assert session is not None
            session.abort()  # what the watchdog does
        return found

    return ask


@pytest.fixture
def standing_still(monkeypatch: pytest.MonkeyPatch) -> Callable[[Running], None]:
    def begin(run: Running) -> None:
        admission = run.engine._yard.admission
        monkeypatch.setattr(admission, "ask", late(admission.ask))

    return begin


def test_a_deadline_that_passed_before_the_answer_was_read_is_no_second_poll(
    tmp_path: Path, sshd: Sshd, standing_still: Callable[[Running], None]
) -> None:
    run = Running(tmp_path)
    standing_still(run)
    with running(tmp_path, seldom(sshd.host(), deadline=DEADLINE), run=run):
        run.polled(1)
        run.until(
            lambda: run.link().link is Link.LOST and run.link().next_ms > 0, "its session is ended, the next planned"
        )
        assert run.link().next_ms - now_ms() > 1_800_000, "it is asked again when it is due"
        assert "deadline" in run.link().reason
        run.ask()
        assert len(run.polls) == 2 and good(run.polls)
        assert run.link().link is Link.CONNECTED


def test_one_that_is_watched_live_is_connected_to_again_at_once(
    tmp_path: Path, sshd: Sshd, standing_still: Callable[[Running], None]
) -> None:
    run = Running(tmp_path)
    standing_still(run)
    with running(tmp_path, replace(seldom(sshd.host(), deadline=DEADLINE), live=True), run=run):
        run.until(lambda: len(run.polls) == 2 and bool(run.pushes), "watched again, long before it is due")
        assert good(run.polls) and run.link().link is Link.CONNECTED

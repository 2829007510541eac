"""What the poller's own machine may lack, and threads that never come back."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.model import Link, PollOutcome, PollSettings
from tests.end_to_end.sshd import Sshd
from tests.fleet.running import SEEN, running, seldom, threads

LITTLE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
from poller.ssh import room
print(room(100, 2), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_a_thread_that_hangs_is_given_up_and_its_host_gets_another(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, free = threading.Event(), threading.Event()
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        admission = run.engine._yard.admission
        ask = admission.ask

        def hangs(*arguments: Any, **words: Any) -> Any:
            if not stuck.is_set():
                stuck.set()
                free.wait(60)
            return ask(*arguments, **words)

        monkeypatch.setattr(admission, "ask", hangs)
        changed = replace(seldom(sshd.host()), poll=PollSettings(interval=3600.0, deadline=0.5))
        run.engine.change([changed], {})
        run.engine.poll_now(["web1"])
        late = run.polled(2)[-1]
        assert (late.outcome, late.code) == (PollOutcome.FAILED, "timeout")
        assert "did not come back" in late.error
        run.engine.change([seldom(sshd.host())], {})
        assert run.ask().outcome in SEEN
        free.set()
        run.until(lambda: len(threads()) == 1, "the late thread has ended")
        assert len(run.polls) == 3, "what it found is not told: that poll was told already"


def test_a_defect_of_the_poller_is_a_failed_poll_and_not_the_end_of_the_host(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        monkeypatch.setattr(run.engine._yard.admission, "ask", lambda *_, **__: 1 / 0)
        assert (run.ask().outcome, run.polls[-1].code) == (PollOutcome.FAILED, "internal")
        monkeypatch.undo()
        assert run.ask().outcome in SEEN


def test_a_host_without_a_thread_is_told_and_gets_one_when_there_is(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    lacking = [True]

    def starts(thread: threading.Thread) -> None:
        if lacking[0] and thread.name.startswith("host "):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starts)
    host = seldom(sshd.host(), interval=1.0)
    with running(tmp_path, host) as run:
        assert (run.polled(1)[0].outcome, run.polls[0].code) == (PollOutcome.SKIPPED, "resources")
        lacking[0] = False
        run.until(lambda: "web1" in run.engine.links() and run.link().link is Link.CONNECTED, "connected")


@pytest.mark.parametrize("hard", [64, 150, 100_000])
def test_what_the_open_files_are_not_enough_for_is_not_held(hard: int) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
    said = subprocess.run([sys.executable, "-c", LITTLE, str(hard)], capture_output=True, text=True, check=True)
    held, limit = map(int, said.stdout.split())
    assert held == (0 if hard == 64 else 100 if hard > 300 else hard - 144)
    assert limit <= hard

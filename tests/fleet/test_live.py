"""Hosts that are watched live: what happens there comes by itself, over the session that is asked as well."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from poller.clock import now_ms
from poller.model import Link
from tests.end_to_end.sshd import Sshd
from tests.fleet.running import SEEN, Running, running, seldom
from tests.stopped import stop


def heard(run: Running, more: int) -> None:
    count = len(run.pushes) + more
    run.until(lambda: len(run.pushes) >= count, f"{count} pushes")


def test_a_host_that_is_watched_speaks_by_itself_while_it_is_polled(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, replace(seldom(sshd.host()), live=True)) as run:
        run.polled(1)
        heard(run, 2)
        assert run.ask().outcome in SEEN
        heard(run, 2)
        assert [push.sequence for push in run.pushes] == list(range(1, len(run.pushes) + 1))
        assert run.link().live and {push.host for push in run.pushes} == {"web1"}
    assert sshd.log().count("Starting session: command") == 1


def test_a_host_that_a_reload_changes_is_watched_again_long_before_it_is_due(tmp_path: Path, sshd: Sshd) -> None:
    host = replace(seldom(sshd.host()), live=True)
    with running(tmp_path, host) as run:
        heard(run, 2)
        run.engine.change([replace(host, python="/usr/bin/python3")], {})
        run.until(lambda: [push.sequence for push in run.pushes].count(1) == 2, "the second watch")
        assert [poll.outcome in SEEN for poll in run.polled(2)] == [True, True]


def test_watching_begins_and_ends_on_the_same_session(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        assert run.pushes == []
        run.engine.watch(["web1"])
        heard(run, 2)
        run.engine.watch([])
        run.until(lambda: not run.link().live, "no longer watched")
        assert run.ask().outcome in SEEN
        run.pushes.clear()
        run.take(2.5)
        assert run.pushes == []
        run.engine.watch(["web1"])
        heard(run, 2)
    assert sshd.log().count("Starting session: command") == 1


def test_a_watched_host_that_falls_silent_is_lost_within_seconds_and_found_again(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, seldom(sshd.host())) as run:
        run.engine.watch(["web1"])
        run.polled(1)
        heard(run, 1)
        stopped = sshd.children()
        for pid in stopped:
            stop(pid)
        try:
            run.until(lambda: any(link.link is Link.LOST for link in run.links), "lost")
            lost = next(link for link in run.links if link.link is Link.LOST)
            assert lost.reason.startswith("probe/timeout") and "nothing was heard" in lost.reason
            heard(run, 2)
            assert run.link().link is Link.CONNECTED
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_who_begins_to_watch_a_host_that_is_away_does_not_wait_until_it_is_due(tmp_path: Path, sshd: Sshd) -> None:
    python = tmp_path / "python"
    with running(tmp_path, replace(seldom(sshd.host()), python=str(python))) as run:
        assert run.polled(1)[0].stage == "python"
        run.until(lambda: run.link().next_ms > 0, "planned")
        assert run.link().next_ms - now_ms() > 1_800_000, "nothing but a change there would help"
        python.symlink_to(sys.executable)
        run.engine.watch(["web1"])
        heard(run, 1)
        assert run.link().link is Link.CONNECTED


def test_nor_does_it_make_a_host_refuse_more_logins(tmp_path: Path, sshd: Sshd) -> None:
    sshd.authorized_keys.write_text("")
    with running(tmp_path, seldom(sshd.host())) as run:
        assert run.polled(1)[0].stage == "auth"
        run.until(lambda: run.link().next_ms > 0, "planned")
        run.engine.watch(["web1"])
        run.take(2.0)
        assert run.link().next_ms - now_ms() > 1_800_000 and len(run.polls) == 1

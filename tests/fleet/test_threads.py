"""Hosts that are held: one login for many polls, back after every loss, and nothing left behind. With a real sshd."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from poller.model import Deadline, Link, PollOutcome, Severity, Threshold
from poller.store.lock import Leases
from tests.end_to_end.sshd import MakeSshd, Sshd, free_port
from tests.fleet.running import SEEN, files, good, running, seldom, threads
from tests.stopped import stop


def logins(sshd: Sshd) -> int:
    return sshd.log().count("Accepted publickey")


def kill_sessions(sshd: Sshd) -> None:
    for pid in sshd.children():
        os.kill(pid, signal.SIGKILL)


def test_many_polls_are_one_login_and_one_command(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        for _ in range(5):
            run.ask()
        assert good(run.polls), [poll.error for poll in run.polls]
        assert run.link().link is Link.CONNECTED
    assert (logins(sshd), sshd.log().count("Starting session: command")) == (1, 1)
    assert "connect" in run.polls[0].stages and "connect" not in run.polls[1].stages
    assert run.polls[0].sent_bytes > 5 * run.polls[1].sent_bytes, "the probe is sent once"


def test_a_host_is_polled_each_interval_and_once_for_each_instant(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, seldom(sshd.host(), interval=1.0)) as run:
        polls = run.polled(4)
    assert good(polls)
    apart = [later.at_ms - one.at_ms for one, later in pairwise(polls[1:])]
    assert min(apart) > 200, apart  # late ones are left out, none is made up for
    assert logins(sshd) == 1


def test_a_session_that_is_killed_is_known_why_and_made_anew(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        kill_sessions(sshd)
        run.until(lambda: any(link.link is Link.LOST for link in run.links), "told that it is lost")
        lost = next(link for link in run.links if link.link is Link.LOST)
        assert lost.reason.startswith("probe/closed: the connection")
        run.until(lambda: run.link().link is Link.CONNECTED, "connected again")
        run.polled(2)
        assert good(run.polls)
        assert run.link().reason == lost.reason, "still known when it is back"
    assert logins(sshd) == 2


def test_a_session_that_hangs_ends_with_the_deadline_and_the_next_poll_connects_anew(
    tmp_path: Path, sshd: Sshd
) -> None:
    with running(tmp_path, seldom(sshd.host(), deadline=2.0)) as run:
        run.polled(1)
        stopped = sshd.children()
        for pid in stopped:
            stop(pid)
        try:
            failed = run.ask()
            assert (failed.outcome, failed.stage, failed.code) == (PollOutcome.FAILED, "probe", "timeout")
            assert failed.seconds < 4
            run.until(lambda: run.link().link is Link.CONNECTED, "connected again")
            assert run.ask().outcome in SEEN
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
    assert logins(sshd) == 2


def test_a_server_that_was_away_is_found_again(tmp_path: Path, sshd: Sshd) -> None:
    port = sshd.port
    with running(tmp_path, seldom(sshd.host())) as run:
        run.polled(1)
        sshd.stop()
        run.until(lambda: run.link().tries >= 2, "tried again")
        assert run.link().link is Link.LOST
        assert len(run.polls) == 1, "a try that fails before the host is due is no poll"
        sshd.start(port)
        run.until(lambda: run.link().link is Link.CONNECTED, "connected again")
        assert run.link().tries == 0
        assert run.polled(2)[-1].outcome in SEEN


def test_a_host_that_is_gone_when_it_is_due_is_a_failed_poll(tmp_path: Path, sshd: Sshd) -> None:
    host = replace(seldom(sshd.host(), interval=1.0), ssh=sshd.ssh(port=free_port()))
    with running(tmp_path, host) as run:
        polls = run.polled(2)
        assert {(poll.outcome, poll.stage, poll.code) for poll in polls} == {(PollOutcome.FAILED, "connect", "refused")}
        assert run.link().link is Link.LOST and run.link().tries >= 2
        assert run.link().reason.startswith("connect/refused")


def test_refused_logins_are_not_tried_again_and_again(tmp_path: Path, sshd: Sshd) -> None:
    sshd.authorized_keys.write_text("")
    with running(tmp_path, seldom(sshd.host())) as run:
        assert run.polled(1)[0].stage == "auth"
        run.take(3.0)
        assert len(run.polls) == 1 and run.link().tries == 1


def test_a_cold_host_is_connected_to_for_each_poll(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, replace(seldom(sshd.host()), cold=True)) as run:
        run.polled(1)
        run.ask()
        assert good(run.polls) and run.link().link is Link.COLD
        sshd.wait_for_log("Accepted publickey", 2)
        until = time.monotonic() + 10
        while sshd.children() and time.monotonic() < until:
            time.sleep(0.02)
        assert sshd.children() == []


def test_the_pollers_own_machine_and_one_behind_a_jump_host_are_held_too(tmp_path: Path, make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    jump.known_hosts.write_text(jump.known_hosts.read_text() + target.known_hosts.read_text())
    jump.authorize(target.client_key.with_suffix(".pub"))
    for server in (jump, target):
        target.known_hosts.open("a").write(server.known_line())
    behind = target.host("behind", proxy_jump=f"{jump.user}@127.0.0.1:{jump.port}")
    own = replace(seldom(target.host("own")), address="local")
    before = files()
    with running(tmp_path, seldom(behind), own) as run:
        for name in ("behind", "own"):
            run.polled(1, name)
            run.ask(name)
            run.ask(name)
        assert good(run.polls), [poll.error for poll in run.polls]
        assert {link.link for link in run.engine.links().values()} == {Link.CONNECTED}
        assert logins(target) == 1 and logins(jump) == 1
        kill_sessions(jump)
        run.until(lambda: len(run.of("behind")) > 3, "behind the jump host again")
        assert good(run.polls)
    assert threads() == [] and files() <= before


def test_evidence_is_asked_for_in_the_session_that_stays(tmp_path: Path, sshd: Sshd) -> None:
    rule = Threshold("memory.percent", above=0.0, severity=Severity.HIGH, evidence=True)
    with running(tmp_path, replace(seldom(sshd.host()), thresholds=(rule,))) as run:
        run.polled(1)
        run.ask()
        assert [len(poll.evidence) for poll in run.polls] == [3, 3]
        assert run.link().link is Link.CONNECTED
    assert logins(sshd) == 1


def test_a_reload_leaves_alone_who_did_not_change(tmp_path: Path, make_sshd: MakeSshd) -> None:
    one, other, third = make_sshd(), make_sshd(), make_sshd()
    hosts = [seldom(one.host("one")), seldom(other.host("other")), seldom(third.host("third"))]
    with running(tmp_path, *hosts[:2]) as run:
        run.polled(1, "one")
        run.polled(1, "other")
        rule = Threshold("cpu.percent", above=90.0)
        moved = replace(hosts[1], python="/usr/bin/python3")
        run.engine.change([replace(hosts[0], thresholds=(rule,)), moved, hosts[2]], {})
        run.polled(1, "third")
        for name in ("one", "other"):
            assert run.ask(name).outcome in SEEN
        assert (logins(one), logins(other), logins(third)) == (1, 2, 1)
        run.engine.change([hosts[2]], {})
        run.until(lambda: threads() == ["host third"], "the others have ended")
        assert set(run.engine.links()) == {"third"}
        assert run.ask("third").outcome in SEEN
    assert logins(third) == 1


def test_the_end_leaves_nothing_and_gives_what_is_finished(tmp_path: Path, sshd: Sshd) -> None:
    before = files()
    with running(tmp_path, *(seldom(sshd.host(f"web{number}")) for number in range(4))) as run:
        for number in range(4):
            run.polled(1, f"web{number}")
        run.engine.poll_now(["web0"])
        started = time.monotonic()
        arrivals = run.engine.stop(10.0)
        assert time.monotonic() - started < 10
        assert {poll.host for poll in arrivals.polls} <= {"web0"}
        run.engine.know({})
        assert threads() == []
        assert run.engine.take(0.0).polls == ()
        run.engine.know({poll.host: run.befores["web0"] for poll in arrivals.polls})
    assert files() <= before


def test_a_poll_that_hangs_does_not_hold_up_the_end(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, seldom(sshd.host(), deadline=60.0)) as run:
        run.polled(1)
        stopped = sshd.children()
        for pid in stopped:
            stop(pid)
        try:
            run.engine.poll_now(["web1"])
            run.take(0.5)
            started = time.monotonic()
            run.engine.stop(1.0)
            assert time.monotonic() - started < 10
            assert threads() == []
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_a_poll_that_the_end_breaks_off_is_told_of_no_host(tmp_path: Path, sshd: Sshd) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nsleep 30\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    slow = replace(seldom(sshd.host("slow"), deadline=60.0), python=str(python), cold=True)
    with running(tmp_path, slow, seldom(sshd.host("quick"))) as run:
        run.polled(1, "quick")
        run.engine.poll_now(["slow"])
        run.until(lambda: sshd.log().count("Starting session: command") == 2, "asked")
        arrivals = run.engine.stop(0.2)
        assert [(poll.host, poll.error) for poll in arrivals.polls] == []
        assert run.of("slow") == [] and threads() == []
        with closing(Leases(tmp_path / "poller.db")) as others:
            others.acquire("slow", Deadline(0.0))  # BusyError while it is still ours


def test_hosts_that_fail_cost_neither_threads_nor_files(tmp_path: Path, sshd: Sshd) -> None:
    gone = free_port()
    hosts = [
        seldom(sshd.host(f"web{number}", port=gone if number % 5 == 0 else sshd.port), interval=1.0)
        for number in range(10)
    ]
    with running(tmp_path, *hosts) as run:
        run.until(lambda: len(run.polls) >= 20, "twenty polls")
        seen = files(), len(threads())
        run.until(lambda: len(run.polls) >= 80, "eighty polls", 60)
        assert len(threads()) == seen[1] == 10
        assert files() <= seen[0] + 12  # a connection that is tried, and the pings after it
        failed = {poll.host for poll in run.polls if poll.outcome not in SEEN}
        assert failed == {"web0", "web5"}
    assert threads() == []


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_hosts_are_polled_at_once_than_may_be(tmp_path: Path, sshd: Sshd, at_once: int) -> None:
    with running(tmp_path, *(seldom(sshd.host(f"web{number}")) for number in range(3)), at_once=at_once) as run:
        run.until(lambda: len(run.polls) >= 3, "three polls")
    spans = sorted((poll.at_ms, poll.at_ms + int(poll.seconds * 1000)) for poll in run.polls)
    assert good(run.polls)
    if at_once == 1:
        assert all(later[0] >= one[1] - 5 for one, later in pairwise(spans))

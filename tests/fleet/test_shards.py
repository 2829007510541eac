"""Worker processes share the hosts of a daemon: over a real sshd, with workers and masters that are killed."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from poller.clock import now_ms
from poller.fleet import shard
from poller.fleet.engine import Engine
from poller.fleet.shards import Shards, shard_of
from poller.model import Arrivals, Config, Event, Host, Link, Poll, PollOutcome, PollSettings
from poller.store import Journal
from tests.end_to_end.site import ROOT
from tests.end_to_end.sshd import Sshd
from tests.stopped import stop

BOUND = 60.0
# Seconds without a sign of life, for tests; they give one every five.
SILENT = 8.0


class Fleet:
    """Hosts on one sshd, shared by two workers; `until` takes what they bring and stores it no further."""

    def __init__(self, config: Config, hosts: Sequence[Host]) -> None:
        self.config = config
        self.hosts = hosts
        self.losses: list[Event] = []
        self.polls: list[Poll] = []
        self.engine = Shards(config, self.losses.append)

    def start(self) -> None:
        self.engine.start(self.hosts, {})

    def until(self, done: Callable[[], bool], seconds: float = BOUND) -> None:
        ends = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < ends, (len(self.polls), self.engine.links(), self.losses)
            arrivals = self.engine.take(0.2)
            self.polls += arrivals.polls
            with Journal.open(self.config.journal, now_ms=now_ms()) as journal:
                self.engine.know(journal.before([poll.host for poll in arrivals.polls]))

    def polled(self, names: Sequence[str], since: int = 0) -> bool:
        return set(names) <= {poll.host for poll in self.polls[since:] if poll.outcome is PollOutcome.OK}

    def names(self, worker: int) -> list[str]:
        return [host.name for host in self.hosts if shard_of(host.name, 2) == worker]


@pytest.fixture
def fleet(tmp_path: Path, sshd: Sshd) -> Iterator[Fleet]:
    sshd.authorize()
    Journal.open(tmp_path / "poller.db", now_ms=now_ms()).close()
    config = Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db", processes=2)
    hosts = [replace(sshd.host(f"h{number}"), poll=PollSettings(interval=3600.0)) for number in range(6)]
    fleet = Fleet(config, hosts)
    yield fleet
    workers = fleet.engine.workers
    fleet.engine.stop(0.0)
    assert all(gone(number) for number in workers), "nothing is left behind"


def gone(number: int) -> bool:
    """No such process, or one that only waits for its parent to look."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait(done: Callable[[], bool], seconds: float = BOUND) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.02)


def parent(number: str) -> int:
    try:
        return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_a_name_has_the_same_worker_always() -> None:
    names = [f"web{number}" for number in range(1000)]
    shares = [shard_of(name, 4) for name in names]
    assert shares == [shard_of(name, 4) for name in names]
    assert all(200 < shares.count(worker) < 300 for worker in range(4))


def test_polls_of_all_hosts_arrive_and_more_when_asked_for(fleet: Fleet) -> None:
    engine: Engine = fleet.engine
    names = [host.name for host in fleet.hosts]
    assert fleet.names(0) and fleet.names(1), "both have some"
    fleet.start()
    fleet.until(lambda: fleet.polled(names))
    assert len(fleet.engine.workers) == 2
    fleet.until(lambda: all(state.link is Link.CONNECTED for state in engine.links().values()))
    assert fleet.polls[0].report is not None and fleet.polls[0].report.now.sections
    count = len(fleet.polls)
    engine.poll_now(names[:2], at_any_rate=True)
    fleet.until(lambda: fleet.polled(names[:2], count))
    assert {poll.host for poll in fleet.polls[count:]} == set(names[:2])
    engine.change(fleet.hosts[:3], {})
    assert set(engine.links()) == set(names[:3])


def test_a_worker_that_is_killed_is_replaced_and_its_hosts_are_polled_again(fleet: Fleet) -> None:
    names = [host.name for host in fleet.hosts]
    fleet.start()
    fleet.until(lambda: fleet.polled(names))
    victim, other = fleet.engine.workers
    count = len(fleet.polls)
    os.kill(victim, signal.SIGKILL)
    fleet.until(lambda: bool(fleet.losses))
    assert fleet.losses[0].kind == "gap" and f"process {victim} was killed by SIGKILL" in fleet.losses[0].details
    fleet.until(lambda: fleet.polled(fleet.names(0), count))
    assert victim not in fleet.engine.workers and other in fleet.engine.workers
    assert {poll.host for poll in fleet.polls[count:]} == set(fleet.names(0)), "the others do not notice"
    assert all(poll.outcome is PollOutcome.OK for poll in fleet.polls), "no host is said to have failed"


def test_whom_nobody_holds_has_lost_nothing_when_its_worker_dies(fleet: Fleet) -> None:
    fleet.hosts = [replace(host, cold=True) for host in fleet.hosts]
    names = [host.name for host in fleet.hosts]
    fleet.start()
    fleet.until(lambda: fleet.polled(names))
    count, victims = len(fleet.polls), fleet.engine.workers
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    fleet.until(lambda: len(fleet.losses) == 2)
    assert {state.link for state in fleet.engine.links().values()} == {Link.COLD}
    fleet.until(lambda: fleet.polled(names, count))
    assert {(state.link, state.reason) for state in fleet.engine.links().values()} == {(Link.COLD, "")}


def test_whom_the_files_are_not_enough_for_is_shown_as_not_held_from_the_start(fleet: Fleet) -> None:
    fleet.engine.start(fleet.hosts[:4], {})
    fleet.until(lambda: fleet.polled([host.name for host in fleet.hosts[:4]]))
    for worker in fleet.engine.workers:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (40, 40))
    fleet.engine.change(fleet.hosts, {})
    fleet.until(lambda: all(state.link is Link.COLD for state in fleet.engine.links().values()))
    assert all("too few open files" in state.reason for state in fleet.engine.links().values())


def test_a_worker_that_hangs_is_replaced(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.start()
    fleet.until(lambda: fleet.polled([host.name for host in fleet.hosts]))
    victim, other = fleet.engine.workers
    with monkeypatch.context() as patience:
        patience.setattr(shard, "_SILENT", SILENT)
        os.kill(victim, signal.SIGSTOP)
        fleet.until(lambda: bool(fleet.losses))
    fleet.until(lambda: len(fleet.engine.workers) == 2)
    assert victim not in fleet.engine.workers and other in fleet.engine.workers


def test_what_a_worker_has_to_log_is_logged_by_its_master(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "poller")
    # In a process that connected before, this logger has a level of its own.
    caplog.set_level(logging.DEBUG, "poller.ssh.transport")
    fleet.start()
    fleet.until(lambda: any(record.name == "poller.ssh.transport" for record in caplog.records))


def test_one_that_dies_again_and_again_is_given_more_and_more_time(fleet: Fleet) -> None:
    fleet.start()
    for deaths in (1, 2, 3):
        fleet.until(lambda: len(fleet.engine.workers) == 2)
        began = time.monotonic()
        os.kill(fleet.engine.workers[0], signal.SIGKILL)
        fleet.until(lambda count=deaths: len(fleet.losses) == count)  # type: ignore[misc]
    fleet.until(lambda: len(fleet.engine.workers) == 2)
    assert time.monotonic() - began > 1.5


def test_a_stop_closes_every_connection_and_ends_every_worker(fleet: Fleet, sshd: Sshd) -> None:
    fleet.start()
    fleet.until(lambda: fleet.polled([host.name for host in fleet.hosts]))
    workers = fleet.engine.workers
    assert isinstance(fleet.engine.stop(5.0), Arrivals)
    assert fleet.engine.workers == ()
    assert all(gone(number) for number in workers)
    wait(lambda: not sshd.children())


MASTER = """
import sys, time
from pathlib import Path
from poller.fleet.shards import Shards
from poller.model import Config
folder = Path(sys.argv[1])
losses = []
engine = Shards(Config(path=folder / "config.xml", journal=folder / "poller.db", processes=2), losses.append)
engine.start([], {})
print(*engine.workers, flush=True)
while True:
    engine.take(1.0)
    print(time.monotonic(), len(losses), *engine.workers, flush=True)
"""
# As it is, with less patience.
HASTY = f"from poller.fleet import shard\nshard._SILENT = {SILENT}\n{MASTER}"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_master(tmp_path: Path, number: signal.Signals) -> None:
    Journal.open(tmp_path / "poller.db", now_ms=now_ms()).close()
    with subprocess.Popen(
        [sys.executable, "-c", MASTER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as master:
        assert master.stdout is not None
        workers = [int(word) for word in master.stdout.readline().split()]
        assert len(workers) == 2
        wait(lambda: all(Path(f"/proc/{worker}").exists() for worker in workers))
        master.send_signal(number)
    wait(lambda: all(gone(worker) for worker in workers))


def go_on(workers: Sequence[int]) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)


def looked(master: subprocess.Popen[str], since: float) -> tuple[int, list[int]]:
    """What the master finds when it looks after its workers next after that instant: losses so far, and the workers."""
    assert master.stdout is not None
    for line in master.stdout:
        at, losses, *workers = line.split()
        if float(at) > since:
            return int(losses), [int(worker) for worker in workers]
    raise AssertionError("the master has ended")


def test_a_service_that_stood_still_as_a_whole_keeps_its_workers(tmp_path: Path) -> None:
    """`systemctl freeze` and thaw, or a machine that was paused: the master may run before all others."""
    Journal.open(tmp_path / "poller.db", now_ms=now_ms()).close()
    with subprocess.Popen(
        [sys.executable, "-c", HASTY, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as master:
        assert master.stdout is not None
        workers = [int(word) for word in master.stdout.readline().split()]
        try:
            assert looked(master, 0.0) == (0, workers)
            for process in (*workers, master.pid):
                stop(process)
            thaws = time.monotonic() + SILENT + 1.0
            wait(lambda: time.monotonic() > thaws)
            master.send_signal(signal.SIGCONT)
            looked(master, thaws)
            go_on(workers)
            assert looked(master, time.monotonic() + 2.0) == (0, workers)
        finally:
            master.kill()
            go_on(workers)
    wait(lambda: all(gone(worker) for worker in workers))

"""A real daemon under a real supervisor's socket: ready, alive, reloading, stopping."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.daemon.daemons import PATIENCE, StartDaemon, hosts, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd
from tests.stopped import stop

__all__ = ["make_sshd", "site", "sshd", "start"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(1)
        yield sock


def hear(sock: socket.socket, wanted: str) -> list[str]:
    """What is said until that."""
    heard: list[str] = []
    ends = time.monotonic() + PATIENCE
    while not any(wanted in one for one in heard):
        assert time.monotonic() < ends, f"not {wanted} in {heard}"
        with suppress(TimeoutError):
            heard.append(sock.recv(4096).decode())
    return heard


def test_it_tells_its_supervisor_what_it_does(site: Site, start: StartDaemon, supervisor: socket.socket) -> None:
    site.write(hosts("web1"))
    daemon = start(environment={"NOTIFY_SOCKET": supervisor.getsockname(), "WATCHDOG_USEC": "1000000"})
    assert hear(supervisor, "READY=1") == ["READY=1"]
    hear(supervisor, "WATCHDOG=1")
    site.write("\n" + hosts("web1", "db1"))
    daemon.signal(signal.SIGHUP)
    assert any("MONOTONIC_USEC" in one for one in hear(supervisor, "RELOADING=1"))
    hear(supervisor, "READY=1")
    assert "2 hosts, 1 new" in hear(supervisor, "STATUS=")[-1]
    site.config.write_text("<poller><hots/></poller>")
    daemon.signal(signal.SIGHUP)
    hear(supervisor, "READY=1")
    assert "refused" in hear(supervisor, "STATUS=")[-1]
    daemon.signal(signal.SIGTERM)
    hear(supervisor, "STOPPING=1")
    assert daemon.wait() == 0


def test_a_main_loop_that_does_not_go_round_gives_no_sign_of_life(
    site: Site, start: StartDaemon, supervisor: socket.socket
) -> None:
    site.write(hosts("web1"))
    daemon = start(environment={"NOTIFY_SOCKET": supervisor.getsockname(), "WATCHDOG_USEC": "1000000"})
    hear(supervisor, "WATCHDOG=1")
    stop(daemon.process.pid)
    supervisor.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            supervisor.recv(4096)
    supervisor.settimeout(3)
    with pytest.raises(TimeoutError):
        supervisor.recv(4096)
    daemon.signal(signal.SIGCONT)
    supervisor.settimeout(10)
    hear(supervisor, "WATCHDOG=1")
    assert daemon.end() == 0


def test_a_process_that_was_stopped_does_not_make_up_for_what_it_missed(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1", "db1"))
    daemon = start()
    daemon.until_polled(2, ("web1", "db1"))
    stop(daemon.process.pid)
    before = daemon.polls()
    stopped_ms = time.time_ns() // 1_000_000
    until = time.monotonic() + 9
    while time.monotonic() < until:
        assert daemon.polls() == before
    daemon.signal(signal.SIGCONT)
    daemon.until_polled(3, ("web1", "db1"))
    assert daemon.end() == 0
    for name in ("web1", "db1"):
        sql = (
            f"SELECT at_ms FROM poll JOIN host ON host.id = host_id WHERE host.name = '{name}' AND at_ms > {stopped_ms}"
        )
        instants = sorted(at_ms for (at_ms,) in site.rows(sql))
        burst = [at_ms for at_ms in instants if at_ms < instants[0] + 1000]
        assert len(burst) <= 2, "of four that were missed none is made up for; a session that broke is tried again"

"""What systemd is told, over a real socket: sd_notify(3)."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from poller.daemon.supervision import Supervisor

ABSTRACT = "@poller-test-"


@pytest.fixture(params=["path", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address as $NOTIFY_SOCKET has it, and the socket of the supervisor."""
    where = str(tmp_path / "notify") if request.param == "path" else f"{ABSTRACT}{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + where[1:] if where[0] == "@" else where)
        sock.settimeout(20)
        yield where, sock


def test_every_state_is_told_to_the_socket_that_is_named(listening: tuple[str, socket.socket]) -> None:
    where, sock = listening
    supervisor = Supervisor(where)
    supervisor.ready()
    supervisor.reloading()
    supervisor.status("3 hosts\nand more")
    supervisor.status("3 hosts and more")
    supervisor.stopping()
    told = [sock.recv(4096).decode() for _ in range(4)]
    assert told[0] == "READY=1"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", told[1])
    assert told[2:] == ["STATUS=3 hosts and more", "STOPPING=1"], "one line, and the same one only once"
    supervisor.close()


def test_it_gives_a_sign_of_life_only_as_often_as_is_needed(tmp_path: Path) -> None:
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(where)
        supervisor = Supervisor(where, watchdog_seconds=3600)
        for _ in range(100):
            supervisor.alive()
        sock.setblocking(False)
        assert sock.recv(4096) == b"WATCHDOG=1"
        with pytest.raises(BlockingIOError):
            sock.recv(4096)
        supervisor.close()


def test_without_a_watchdog_it_gives_none(tmp_path: Path) -> None:
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(where)
        sock.setblocking(False)
        supervisor = Supervisor(where)
        supervisor.alive()
        with pytest.raises(BlockingIOError):
            sock.recv(4096)
        supervisor.close()


def test_the_variables_are_taken_away_so_that_no_child_speaks_for_us() -> None:
    environ = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    Supervisor.from_environment(environ).close()
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize("address", ["", "relative", "/there/is/none", "@nobody-listens-here"])
def test_nobody_who_listens_is_no_fault(address: str) -> None:
    supervisor = Supervisor(address, 1.0)
    supervisor.ready()
    supervisor.alive()
    supervisor.status("all is well")
    supervisor.close()
    supervisor.stopping()


def test_who_does_not_read_delays_nobody(tmp_path: Path) -> None:
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(where)
        supervisor = Supervisor(where)
        for number in range(2_000):  # far more than the queue of a datagram socket holds
            supervisor.status(f"number {number}")
        supervisor.close()

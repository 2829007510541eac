"""Two machines on one wire: network namespaces, joined by a pair of veth(4), in which a test opens sockets itself.

    def test_something(wire):
        with wire.near():                       # sockets that are made here belong to that machine
            server = socket.create_server(...)
        report = wire.probe("sockets")          # the probe, run on the near machine

They have no names and are gone with the processes that hold them. A thread that enters one comes back from it; other
threads do not notice (setns(2)).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from poller.model import Report
from poller.probe.report import parse

ROOT = Path(__file__).parents[2]
NEAR, FAR = "192.168.7.1", "192.168.7.2"
ALSO_NEAR = "192.168.7.3"
NEAR6, FAR6 = "fd07:1111:2222:3333:4444:5555:6666:1111", "fd07:1111:2222:3333:4444:5555:6666:2222"
_NEW_NET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

# The probe as it runs on a host, but with its report as plain XML.
PROBE = """
import json, sys
from remote_probe import __main__, host
machine = host.Host(options=json.loads(sys.argv[1]))
sys.stdout.buffer.write(__main__.report(machine, sys.argv[2:]))
"""


class Wanted:
    host = "local"
    probe = "0" * 64


class Wire:
    def __init__(self, near: int, far: int) -> None:
        self.pids = {"near": near, "far": far}

    @contextmanager
    def at(self, which: str) -> Iterator[None]:
        with (
            Path(f"/proc/self/task/{threading.get_native_id()}/ns/net").open() as back,
            Path(f"/proc/{self.pids[which]}/ns/net").open() as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(back.fileno())

    def near(self) -> Any:
        return self.at("near")

    def far(self) -> Any:
        return self.at("far")

    def words(self, which: str) -> list[str]:
        return ["nsenter", f"--target={self.pids[which]}", "--net", "--"]

    def run(self, which: str, *words: str) -> str:
        return subprocess.run([*self.words(which), *words], check=True, capture_output=True, text=True).stdout

    def probe(
        self,
        *sections: str,
        options: Mapping[str, Any] | None = None,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Report:
        """A report of the near machine; without options from sock_diag. `before`: words such as setpriv."""
        asked = {"traffic": {"source": "sock_diag", "seconds": 2.0}, **(options or {})}
        words = [sys.executable, "-c", PROBE, json.dumps(asked), *sections]
        run = subprocess.run(
            [*self.words("near"), *before, *words],
            capture_output=True,
            check=True,
            timeout=60,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        return parse(run.stdout, Wanted())


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def _machine() -> Iterator[int]:
    words = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready; exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stdout.readline() == b"ready\n"
        yield holder.pid
        holder.stdin.close()


@contextmanager
def connected() -> Iterator[Wire]:
    with ExitStack() as stack:
        made = Wire(stack.enter_context(_machine()), stack.enter_context(_machine()))
        made.run(
            "near",
            "ip",
            "link",
            "add",
            "wire0",
            "type",
            "veth",
            "peer",
            "name",
            "wire0",
            "netns",
            str(made.pids["far"]),
        )
        for which, addresses in (("near", (NEAR, ALSO_NEAR, NEAR6)), ("far", (FAR, FAR6))):
            for address in addresses:
                no_wait = ("nodad",) if ":" in address else ()
                made.run(
                    which, "ip", "address", "add", address + ("/64" if no_wait else "/24"), "dev", "wire0", *no_wait
                )
            made.run(which, "ip", "link", "set", "wire0", "up")
        yield made


@pytest.fixture
def wire() -> Iterator[Wire]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with connected() as made:
        yield made


def pair(wire: Wire, address: str, port: int = 0, here: str = "near") -> tuple[socket.socket, socket.socket]:
    """A TCP connection from one machine (the near one) to a server on the other: (client, server)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with wire.at("far" if here == "near" else "near"):
        listener = socket.create_server((address, port), family=family)
    with listener:
        with wire.at(here):
            client = socket.create_connection(listener.getsockname()[:2])
        return client, listener.accept()[0]


def move(sender: socket.socket, receiver: socket.socket, count: int) -> None:
    """So many bytes, all received."""
    sender.settimeout(10)
    receiver.settimeout(10)
    while count:
        part = min(count, 30_000)
        sender.sendall(b"x" * part)
        count -= part
        while part:
            part -= len(receiver.recv(part))


@contextmanager
def talking(wire: Wire, address: str, size: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection that moves `size` bytes, and half as many back, over and over."""
    client, server = pair(wire, address)
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            move(client, server, size)
            move(server, client, size // 2)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with client, server:
            yield client, server
            over.set()
            thread.join()
    finally:
        over.set()
        thread.join()


@pytest.fixture
def iftop() -> None:
    if shutil.which("iftop", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("iftop is not installed: `make system-packages`")

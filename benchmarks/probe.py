"""What the probe costs on the host beside an empty Python, and what travels."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.fleet import NUMBERS
from benchmarks.measure import Row, cost, peak_bytes, spread
from poller.clock import now_ms
from poller.config import load
from poller.intake import Intake
from poller.model import Before, LogFile, Poll, PollOutcome, Watch
from poller.probe.envelope import open_report
from poller.probe.payload import BOOTSTRAP, Payload, build
from poller.probe.report import parse
from poller.probe.request import Request
from poller.store import Journal

PYTHON: Final = "/usr/bin/python3"
# A look of some seconds at all packets is no cost of the probe's: it waits.
WITHOUT_IFTOP: Final = Watch(traffic="sock_diag")
SOCKETS: Final = 10_000
LINES: Final = 10_000
LINE_BYTES: Final = 120
_HELPERS: Final = 10

# Opens so many connections with itself, says so, and keeps them until its input ends.
_CONNECTIONS: Final = """
import resource, socket, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
server = socket.create_server(("127.0.0.1", 0), backlog=64)
kept = []
for _ in range(int(sys.argv[1])):
    kept += [socket.create_connection(server.getsockname()), server.accept()[0]]
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass
class Asked:
    """What one kind of request cost: CPU seconds and memory of each probe, the last answer, sealed, and its request."""

    cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    sealed: bytes = b""
    request: Request | None = None

    @property
    def xml(self) -> bytes:
        assert self.request
        return open_report(self.sealed, self.request)


def rows(runs: int) -> Iterator[Row]:
    """The probe answers one request and one reading, as after an earlier poll."""
    few, every = build(NUMBERS), build()
    numbers, everything = Asked(), Asked()
    empty: list[float] = []
    for _ in range(runs * 4):
        ask(few, Watch(), numbers)
        ask(every, WITHOUT_IFTOP, everything)
        empty.append(cost([PYTHON, "-IS", "-c", "pass"], folder=Path("/"), environment={}).cpu)
    yield _beside("the probe, sections of numbers, beside python3 -IS -c pass", numbers, empty, 8.0)
    yield _beside("the probe, all sections, beside python3 -IS -c pass", everything, empty, 12.0)
    yield Row("memory of the probe", f"peak MB: {spread(everything.peak)}", tuple(everything.peak), 20.0, "MB")
    yield _size("payload up, sections of numbers", few, numbers, 30.0)
    yield _size("payload up, all sections", every, everything, 60.0)
    sealed = len(numbers.sealed)
    yield Row("sealed report down, sections of numbers", f"{sealed} bytes", (sealed / 1000,), 6.0, "KB")
    sealed, plain = len(everything.sealed), len(everything.xml)
    yield Row("sealed report beside its XML", f"{sealed} of {plain} bytes", (sealed / plain,), 1 / 4)
    yield _many_sockets(runs)
    yield _many_lines(runs)


def ask(payload: Payload, watch: Watch, into: Asked) -> None:
    """Runs the probe once as sshd would, with one reading."""
    request = Request.fresh("h1", "local", Before(), payload, 10.0, watch=watch)
    body = request.body.replace(b'"window":0.5', b'"window":0')

    def read(process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        process.stdout.readline()
        into.sealed = process.stdout.read(int(process.stdout.readline().split()[2]))
        into.peak.append(peak_bytes(process) / 1e6)

    into.request = Request(
        request.host, request.probe, request.marker, request.nonce, request.public, body, request.private
    )
    command = [PYTHON, "-IS", "-c", BOOTSTRAP]
    sent = payload.data + into.request.frame
    into.cpu.append(cost(command, folder=Path("/"), environment={}, stdin=sent, until=read).cpu)


def _beside(claim: str, ours: Asked, empty: Sequence[float], target: float) -> Row:
    figures = f"CPU ms: {spread(ours.cpu, 1000)} beside {spread(empty, 1000)}"
    return Row(claim, figures, tuple(a / b for a, b in zip(ours.cpu, empty, strict=True)), target)


def _size(claim: str, payload: Payload, asked: Asked, target: float) -> Row:
    assert asked.request
    size = len(payload.data) + len(asked.request.frame)
    return Row(claim, f"{size} bytes, request included", (size / 1000,), target, "KB")


def _many_sockets(runs: int) -> Row:
    """A machine with so many sockets more, asked for its connections and their bytes; beside nothing but itself."""
    asked = Asked()
    payload = build(("sockets", "traffic"))
    with connections(SOCKETS // 2):
        for _ in range(runs):
            ask(payload, WITHOUT_IFTOP, asked)
    figures = f"CPU ms: {spread(asked.cpu, 1000)}"
    return Row(f"the probe on a machine with {SOCKETS:,} sockets", figures, tuple(asked.cpu), 0.5, "s")


@contextmanager
def connections(count: int) -> Iterator[None]:
    """So many TCP connections on loopback, held by processes that need few descriptors each."""
    helpers = [
        subprocess.Popen(
            [sys.executable, "-IS", "-c", _CONNECTIONS, str(count // _HELPERS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(_HELPERS)
    ]
    try:
        for helper in helpers:
            assert helper.stdout
            if helper.stdout.readline() != b"ready\n":
                raise RuntimeError("the connections could not be opened")
        yield
    finally:
        for helper in helpers:
            helper.communicate()


def _many_lines(runs: int) -> Row:
    """From the start of the probe until the lines are in the journal; wall clock."""
    seconds = []
    with tempfile.TemporaryDirectory(prefix="poller-lines-") as name:
        folder = Path(name)
        log = folder / "app.log"
        log.write_bytes(b"".join(_line(number) for number in range(LINES)))
        hosts = "".join(f'<host name="h{run}" address="192.0.2.1"/>' for run in range(runs))
        asked = f'<log name="app" path="{log}" start="yes"/>'
        (folder / "config.xml").write_text(f'<poller><journal path="{folder}/poller.db"/>{asked}{hosts}</poller>')
        config = load(folder / "config.xml", dict(os.environ))
        watch = Watch(logs=(LogFile("app", str(log), start=True),))
        with closing(Journal.open(config.journal, now_ms=now_ms())) as journal:
            with journal.transaction() as work:
                work.begin_round("lines", "full", now_ms(), runs)
            intake = Intake(journal, config, "lines", keep=True)
            for run in range(runs):
                seconds.append(_taken(f"h{run}", watch, intake))
    figures = f"seconds: {spread(seconds)}"
    return Row(f"{LINES:,} log lines of {LINE_BYTES} bytes, end to end", figures, tuple(seconds), 0.5, "s")


def _line(number: int) -> bytes:
    """Lines as a busy daemon writes them: each another user, address and port."""
    text = b"Nov 14 22:13:%02d web1 sshd[%d]: Failed password for invalid user u%d from 203.0.113.%d port %d ssh2 " % (
        number // 170 % 60, 1000 + number // 3, number, number % 250, 1024 + number * 7 % 60000,
    )  # fmt: skip
    return text.ljust(LINE_BYTES - 1, b"x") + b"\n"


def _taken(host: str, watch: Watch, intake: Intake) -> float:
    begin = time.monotonic()
    asked = Asked()
    ask(build(("logs",)), watch, asked)
    assert asked.request
    report = parse(asked.xml, asked.request)
    poll = Poll(f"{host}-lines", host, now_ms(), PollOutcome.OK, seconds=0.1, report=report)
    intake.take([poll])
    return time.monotonic() - begin

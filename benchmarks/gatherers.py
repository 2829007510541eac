"""The probe beside others that gather a machine's numbers: prometheus-node-exporter, psutil, Glances.

Resident, what one more answer costs: the probe's own next answer, one scrape of the exporter with its default
collectors, and a loop over psutil that reads what the sections of numbers read; and what each holds in memory then.
From nothing: the probe as `poller run` starts it, the same psutil script once, and Glances' own one-shot output.
The probe seals its answer besides; the exporter renders text for HTTP; the psutil script prints JSON.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final

from benchmarks import process
from benchmarks.fleet import NUMBERS
from benchmarks.measure import Missing, Row, Rows, cost, ratios
from benchmarks.peers import ROOT, Peers
from benchmarks.probe import PYTHON, WITHOUT_IFTOP, Asked, ask
from poller.model import Before, Watch
from poller.probe.payload import BOOTSTRAP, Payload, build
from poller.probe.request import Request
from poller.probe.watching import WatchRequest
from tests.end_to_end.sshd import free_port

# Answers of each side in one run; so many more before it counts, so that caches are warm.
ANSWERS: Final = 50
MANY: Final = 500
_SCRIPT: Final = str(ROOT / "benchmarks" / "clients" / "with_psutil.py")
_WAITS: Final = (PYTHON, "-IS", "-c", "print(flush=True); input()")
_GLANCES: Final = "cpu,percpu,mem,memswap,load,fs,diskio,network,processcount,system,uptime"


def rows(peers: Peers, runs: int) -> Rows:
    yield from memory()
    yield from _resident(peers, runs)
    yield from _once(peers, runs)


def memory() -> Rows:
    """One probe, asked for everything many times, and one that also pushes; beside a Python that only waits."""
    with subprocess.Popen(_WAITS, cwd="/", env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as python:
        assert python.stdout
        python.stdout.readline()
        bare = process.memory(python.pid)
        python.communicate(b"\n")
    for live, words in ((False, "memory of the resident probe on the host"), (True, "the same, watched live")):
        with resident(build(watch=live), WITHOUT_IFTOP, live=live) as (pid, answer):
            for _ in range(MANY):
                answer()
            found = process.memory(pid)
        figures = f"{_megabytes(found)} after {MANY} answers of all sections, beside python3 -IS: {_megabytes(bare)}"
        yield Row(words, figures, (found.rss / 1e6,), 15.0, "MB")


def _megabytes(found: process.Memory) -> str:
    return f"RSS {found.rss / 1e6:.1f} MB, PSS {found.pss / 1e6:.1f} MB"


def _resident(peers: Peers, runs: int) -> Rows:
    sides: dict[str, list[float]] = {"numbers": [], "all": [], "psutil": [], "exporter": []}
    held: dict[str, process.Memory] = {}
    kinds: list[tuple[str, Callable[[], AbstractContextManager[tuple[int, Callable[[], None]]]]]] = [
        ("numbers", lambda: resident(build(NUMBERS), Watch())),
        ("all", lambda: resident(build(), WITHOUT_IFTOP)),
        ("psutil", lambda: _loop(str(peers.programs / "python"))),
    ]
    if shutil.which("prometheus-node-exporter"):
        kinds.append(("exporter", _exporter))
    else:
        why = "prometheus-node-exporter is not installed (make system-packages)"
        yield Missing("a resident probe's answer beside one scrape of prometheus-node-exporter", why)
    for _ in range(runs):
        for name, start in kinds:
            with start() as (pid, answer):
                sides[name].append(_each(pid, answer))
                held[name] = process.memory(pid)
    for name, words in (("exporter", "one scrape of prometheus-node-exporter"), ("psutil", "a psutil loop")):
        for kind, sections in (("numbers", "sections of numbers"), ("all", "all sections")):
            if sides[name]:
                claim = f"a resident probe's answer, {sections}, beside {words}"
                row = ratios(claim, sides[kind], sides[name], None, "CPU ms")
                resident_mb = f"; resident MB: {held[kind].rss / 1e6:.1f} beside {held[name].rss / 1e6:.1f}"
                yield replace(row, figures=row.figures + resident_mb)


def _each(pid: int, answer: Callable[[], None]) -> float:
    """Seconds of CPU that one more answer costs a process."""
    for _ in range(ANSWERS // 5):
        answer()
    before = process.clock(pid)
    for _ in range(ANSWERS):
        answer()
    return (process.clock(pid) - before) / ANSWERS


@contextmanager
def resident(payload: Payload, watch: Watch, *, live: bool = False) -> Iterator[tuple[int, Callable[[], None]]]:
    """A probe as sshd would start it, and what asks it once more; with `live` it is watched after its first answer."""
    command = [PYTHON, "-IS", "-c", BOOTSTRAP]
    with subprocess.Popen(command, cwd="/", env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdin and started.stdout
        started.stdin.write(payload.data)
        came, sent = started.stdout, started.stdin

        def answer() -> None:
            request = Request.fresh("h1", "local", Before(), payload, 10.0, 600.0, watch=watch)
            body = request.body.replace(b'"window":0.5', b'"window":0')
            sent.write(b"%d\n" % len(body) + body)
            sent.flush()
            for line in iter(came.readline, b""):
                if line.startswith(b"#%s report " % request.marker.encode()):
                    came.read(int(line.split()[2]))
                    return
            raise RuntimeError("the probe ended")

        if live:
            answer()
            sent.write(WatchRequest.fresh("h1", "local", payload, watch, 600.0).frame)
        yield started.pid, answer
        started.stdin.close()


@contextmanager
def _loop(python: str) -> Iterator[tuple[int, Callable[[], None]]]:
    """The psutil script, which answers each line with one of JSON."""
    with subprocess.Popen([python, _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdin and started.stdout
        came, sent = started.stdout, started.stdin

        def answer() -> None:
            sent.write(b"\n")
            sent.flush()
            if not came.readline().startswith(b"{"):
                raise RuntimeError("the psutil script ended")

        yield started.pid, answer
        started.stdin.close()


@contextmanager
def _exporter() -> Iterator[tuple[int, Callable[[], None]]]:
    port = free_port()
    words = ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:

        def answer() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/metrics")
            if b"node_cpu_seconds_total" not in connection.getresponse().read():
                raise RuntimeError("the exporter gave no numbers")
            connection.close()

        until = time.monotonic() + 10
        while True:
            try:
                answer()
                break
            except OSError:
                if time.monotonic() > until or started.poll() is not None:
                    raise
                time.sleep(0.05)
        try:
            yield started.pid, answer
        finally:
            started.terminate()


def _once(peers: Peers, runs: int) -> Rows:
    numbers, psutil, glances = Asked(), [], []
    python, program = str(peers.programs / "python"), str(peers.programs / "glances")
    shot = [program, "--stdout-json", _GLANCES, "--stop-after", "1", "--disable-check-update"]
    for _ in range(runs):
        ask(build(NUMBERS), Watch(), numbers)
        psutil.append(cost([python, _SCRIPT], stdin=b"\n").cpu)
        glances.append(cost(shot, environment=peers.fleet.environment()).cpu)
    yield ratios("the probe, sections of numbers, from nothing, beside psutil", numbers.cpu, psutil, None, "CPU ms")
    yield ratios("the probe, sections of numbers, from nothing, beside Glances", numbers.cpu, glances, None, "CPU ms")

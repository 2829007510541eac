"""What `poller daemon` costs: all CPU of its processes over a window, by the polls stored in it; memory per host.

The daemon is a process of its own over hosts on loopback (benchmarks/fleet.py). A window begins when every host was
polled twice, and is so long that each is polled ten times: with `--minutes 10` the interval is the usual minute, with
less it is shorter, so that idle wake-ups weigh less than they would. Daemons that are only compared have windows of
four minutes at most. CPU is user and system time of the daemon and of all below it, children that ended included;
whatever it does in that time counts: asking, opening, validating, rates, judging, storing in SQLite, telling, pruning.
The hosts' side (sshd, probes) is not ours and does not count; 500 of it take some 8 GB of memory.

A cold poll of the same sections is one of the same daemon with cold="yes". Beside it stands the least that is
possible with paramiko: a question answered with 4 KB over a channel that is open, and a connection with such a channel.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Final

from benchmarks import process
from benchmarks.fleet import HOSTS, Fleet
from benchmarks.measure import Missing, Row, Rows, ratios, spread
from benchmarks.peers import ROOT

POLLS: Final = 10
# At most so many of the runs: each is a quarter of an hour and more.
RUNS: Final = 3
# Of windows that are only compared. Hundreds of probes share this machine with the daemon: their polls need their time.
FLAT_SECONDS: Final = 240.0
FEW, MANY = 50, 500
SMALL, LARGE = 50, 300
TRIPS: Final = 2000
# As many connect at the same time; two logins of a host are an interval apart anyhow.
AT_ONCE: Final = 25
_PATIENCE: Final = 300.0
_STOP: Final = 30.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A daemon to measure. `everything`: all sections, as without any <collect>."""

    hosts: int
    everything: bool = True
    cold: bool = False

    @property
    def chilled(self) -> Kind:
        """The same, connecting anew for each poll."""
        return replace(self, cold=True)

    @property
    def name(self) -> str:
        return f"daemon-{'cold' if self.cold else 'warm'}-"


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds of CPU per poll, polls, and the daemon's memory at its end."""

    per_poll: float
    polls: int
    memory: process.Memory


class Found:
    """What was measured of each kind of daemon, run by run, and why a kind could not be."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._windows: dict[Kind, list[Window]] = {}
        self.troubles: dict[Kind, str] = {}

    def measure(self, *kinds: Kind, seconds: float) -> None:
        """One window of each, all in the same seconds: what disturbs one disturbs the others."""
        ready = Barrier(len(kinds))
        with ThreadPoolExecutor(len(kinds)) as pool:
            for _ in pool.map(partial(self._measure, seconds, ready), kinds):
                pass

    def _measure(self, seconds: float, ready: Barrier, kind: Kind) -> None:
        try:
            self._windows.setdefault(kind, []).append(window(self._fleet, kind, seconds, ready=ready))
        except (RuntimeError, BrokenBarrierError) as error:
            ready.abort()  # the others have nothing to be compared with
            self.troubles[kind] = str(error) or "another daemon of this comparison did not run"

    def cpu(self, kind: Kind) -> list[float]:
        """Seconds per poll, by run."""
        return [one.per_poll for one in self._windows[kind]]

    def polls(self, kind: Kind) -> int:
        return sum(one.polls for one in self._windows[kind])

    def row(self, claim: str, kinds: Sequence[Kind], make: Callable[[str], Row]) -> Row | Missing:
        why = "; ".join(self.troubles[kind] for kind in kinds if kind in self.troubles)
        return Missing(claim, " ".join(why.split())) if why else make(claim)


def rows(fleet: Fleet, runs: int, minutes: float, few: int = FEW, hosts: int = HOSTS, many: int = MANY) -> Rows:
    """Each run measures all kinds: the one that is quoted alone, the others beside those they are compared with."""
    usual, numbers = Kind(hosts), Kind(hosts, everything=False)
    seconds, short = minutes * 60, min(minutes * 60, FLAT_SECONDS)
    alone, found = Found(fleet), Found(fleet)
    bare: list[dict[str, float]] = []
    for _ in range(min(runs, RUNS)):
        bare.append(_bare(fleet, 1, 20))
        alone.measure(usual, seconds=seconds)
        found.measure(usual, usual.chilled, numbers, numbers.chilled, seconds=short)
        found.measure(Kind(few), Kind(many), seconds=FLAT_SECONDS)
    claim = f"a poll by the daemon, {hosts} resident hosts, all sections"
    yield alone.row(claim, (usual,), partial(_absolute, alone, usual, seconds, bare))
    for kind, words in ((usual, "all sections"), (numbers, "sections of numbers")):
        claim = f"a poll by the daemon, {hosts} resident hosts, {words}"
        beside = partial(_beside, found, kind, kind.chilled, 1 / 4)
        yield found.row(f"{claim}, beside a cold one", (kind, kind.chilled), beside)
    claim = f"a poll by the daemon at {many} hosts beside one at {few}"
    yield found.row(claim, (Kind(many), Kind(few)), partial(_beside, found, Kind(many), Kind(few), 1.2))


def _absolute(found: Found, kind: Kind, seconds: float, bare: list[dict[str, float]], claim: str) -> Row:
    spent = found.cpu(kind)
    figures = (
        f"CPU ms: {spread(spent, 1000)} over {found.polls(kind)} polls, one of each host in {seconds / POLLS:g} s; "
        f"bare paramiko: {spread([one['seconds'] for one in bare], 1000)} for a round trip of 4 KB, and "
        f"{spread([60 * one['idle'] for one in bare], 1000)} for each minute of an idle connection"
    )
    return Row(claim, figures, tuple(one * 1000 for one in spent), 1.5, "ms")


def _beside(found: Found, ours: Kind, theirs: Kind, target: float, claim: str) -> Row:
    return ratios(claim, found.cpu(ours), found.cpu(theirs), target, "CPU ms")


def sizes(fleet: Fleet, small: int = SMALL, large: int = LARGE) -> Rows:
    """Memory by host, from the difference of two daemons."""
    held = [window(fleet, Kind(hosts), 120.0, polls=2).memory for hosts in (small, large)]
    ours = (held[1].pss - held[0].pss) / (large - small)
    bare = _bare(fleet, small, large)["bytes"]
    figures = (
        f"KB from {small} to {large} hosts: {ours / 1000:.0f}, daemon PSS {held[0].pss / 1e6:.0f} and "
        f"{held[1].pss / 1e6:.0f} MB; a bare paramiko connection with an open channel: {bare / 1000:.0f}"
    )
    yield Row("memory of the daemon per resident host", figures, (ours / 1000,), 200.0, "KB")


def window(fleet: Fleet, kind: Kind, seconds: float, polls: int = POLLS, ready: Barrier | None = None) -> Window:
    """Runs a daemon until it has run steadily for so long, which begins when the others of `ready` are steady, too."""
    attributes = ' cold="yes"' if kind.cold else ""
    config = fleet.config(
        kind.hosts,
        everything=kind.everything,
        at_once=AT_ONCE,
        interval=seconds / polls,
        name=kind.name,
        attributes=attributes,
    )
    journal = _journal(config)
    for old in journal.parent.glob(f"{journal.name}*"):
        old.unlink()
    with running(fleet, config) as daemon:
        pid = daemon.pid
        _wait(daemon, journal, kind.hosts)
        if ready:
            ready.wait(_PATIENCE)
        began, spent, (before, failed) = time.monotonic(), process.cpu(pid), _polls(journal)
        time.sleep(seconds)
        spent, (after, bad) = process.cpu(pid) - spent, _polls(journal)
        took = time.monotonic() - began
        memory = process.memory_of_all(pid)
    done, due = after - before, kind.hosts * took * polls / seconds
    bad -= failed
    if bad > done / 100 or done < 0.8 * due:
        raise RuntimeError(f"{done} of {due:.0f} polls were made in {took:.0f} s at {kind.hosts} hosts, {bad} failed")
    return Window(spent / done, done, memory)


@contextmanager
def running(fleet: Fleet, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon, ended with SIGTERM."""
    command = [sys.executable, "-m", "poller", "--config", str(config), "daemon"]
    said = config.with_suffix(".log")
    with said.open("wb") as log:
        started = subprocess.Popen(command, cwd=ROOT, env=fleet.environment(), stdout=log, stderr=log)
    try:
        yield started
    finally:
        started.terminate()
        try:
            status = started.wait(_STOP)
        except subprocess.TimeoutExpired:
            started.kill()
            status = started.wait()
        if status:
            raise RuntimeError(f"the daemon ended with {status}: {said.read_text(errors='replace')[-500:]}")


def _journal(config: Path) -> Path:
    return config.with_name(config.name.replace("config-", "poller-")).with_suffix(".db")


def _wait(daemon: subprocess.Popen[bytes], journal: Path, hosts: int) -> None:
    """Until every host was polled twice."""
    until = time.monotonic() + _PATIENCE
    query = "SELECT COUNT(*) FROM (SELECT 1 FROM poll WHERE outcome = 'ok' GROUP BY host_id HAVING COUNT(*) > 1)"
    while _one(journal, query) < hosts:
        if time.monotonic() > until or daemon.poll() is not None:
            raise RuntimeError(f"only {_one(journal, query)} of {hosts} hosts were polled twice")
        time.sleep(0.2)


def _polls(journal: Path) -> tuple[int, int]:
    """All, and those that gave no report."""
    every = _one(journal, "SELECT COUNT(*) FROM poll")
    return every, _one(journal, "SELECT COUNT(*) FROM poll WHERE outcome NOT IN ('ok', 'partial')")


def _one(journal: Path, query: str) -> int:
    if not journal.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as connection:
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # its tables are about to be made
        return 0


def _bare(fleet: Fleet, few: int, many: int) -> dict[str, float]:
    """`seconds` per round trip, `idle` CPU per connection and second, `bytes` per connection."""
    sshd = fleet.sshd
    words = [sshd.port, sshd.user, sshd.client_key, sshd.known_hosts, few, many, TRIPS]
    command = [sys.executable, str(ROOT / "benchmarks" / "clients" / "with_paramiko_held.py"), *map(str, words)]
    found = subprocess.run(command, cwd=fleet.folder, env=fleet.environment(), check=True, capture_output=True)
    answer: dict[str, float] = json.loads(found.stdout)
    return answer

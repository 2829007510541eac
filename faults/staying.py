"""A daemon over many hosts, a fifth of which hang for ever, while the world around it breaks in one way after another.

One process lives through all of it, except where the fault is its own death. The archive is a MariaDB behind a way
that can be broken; the hosts are one sshd under many names. Between the faults hosts must be on time again.
"""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from faults.archived import Archived, server, statement
from faults.experiment import Experiment
from faults.hosts import element, healthy, spread_sshd
from faults.lab import MIB, Lab
from faults.lateness import percentile
from faults.relay import relay
from tests.mariadb import make_database
from tests.ordinary import ordinary_machine
from tests.ssh import hostile
from tests.stopped import stop

GOOD: Final = ("ok", "partial")
# Processes beside the probe in what each host sees of this machine.
_SLEEPERS: Final = 2
# Seconds that a poll may be late, at the 95th percentile: a tenth of its interval, and a second where that is less. The
# short form runs beside other tests and looks only whether polls come at all.
LATE: Final = 1.0
# What SQLite may keep of the journal in memory (`poller/store/database.py`): filled as the journal grows, never more.
_CACHES: Final = (16 + 4 * 4) * MIB
# Two polls of one host that were under way at the same moment. Their instants are rounded to milliseconds.
_OVERLAPS: Final = """
SELECT count(*) FROM poll a JOIN poll b ON a.host_id = b.host_id AND a.id < b.id
 WHERE a.outcome <> 'skipped' AND b.outcome <> 'skipped'
   AND a.at_ms + 2 < b.at_ms + b.seconds * 1000 AND b.at_ms + 2 < a.at_ms + a.seconds * 1000
"""
_POLLS: Final = "SELECT host.name, poll.at_ms, poll.outcome FROM poll JOIN host ON host.id = host_id WHERE at_ms >= {}"


@dataclass(frozen=True, slots=True)
class Made:
    """What the daemon is made of, as /proc says. `bytes` are resident."""

    threads: int
    descriptors: int
    bytes: int


@dataclass
class Daemon:
    """A site whose daemon runs, dies and runs again. `interval` and `deadline` in seconds."""

    made: Archived
    healthy: frozenset[str]
    hung: frozenset[str]
    interval: int
    deadline: int
    late: float
    process: subprocess.Popen[bytes] | None = None
    logs: list[Path] = field(default_factory=list)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> float:
        """Seconds until its first poll was stored."""
        site, began, before = self.made.site, time.monotonic(), self.polls()
        self.logs.append(site.folder / f"daemon{len(self.logs)}.log")
        with self.logs[-1].open("wb") as log:
            self.process = subprocess.Popen(
                site.command("daemon"), cwd=site.folder, env=site.environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log,
            )  # fmt: skip
        self.until(lambda: self.polls() > before, 60, "no poll is stored")
        return time.monotonic() - began

    def end(self, number: int = signal.SIGTERM, seconds: float = 10.0) -> tuple[int, float]:
        """(exit status, seconds it took)."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(seconds + 1), time.monotonic() - began

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        self.made.site.said += [path.read_text("utf-8", "replace") for path in self.logs]

    def polls(self) -> int:
        with suppress(sqlite3.OperationalError):  # not there yet
            return int(self.made.site.rows("SELECT count(*) FROM poll")[0][0])
        return 0

    def until(self, true: Callable[[], bool], seconds: float, otherwise: str) -> float:
        """Seconds until it holds; AssertionError when it does not."""
        began = time.monotonic()
        while not true():
            assert self.process is None or self.process.poll() is None, f"the daemon ended: {self.last_words()}"
            assert time.monotonic() - began < seconds, f"{otherwise} within {seconds:g} s: {self.last_words()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def last_words(self) -> str:
        return self.logs[-1].read_text("utf-8", "replace")[-600:] if self.logs else ""

    def now(self) -> Made:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        return Made(int(status["Threads"]), descriptors, int(status["VmRSS"].split()[0]) * 1024)

    def since(self, since_ms: int) -> dict[str, list[tuple[int, str]]]:
        """host -> (instant, outcome) of its polls since then, oldest first."""
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for name, at_ms, outcome in sorted(self.made.site.rows(_POLLS.format(since_ms)), key=lambda row: row[1]):
            found[name].append((at_ms, outcome))
        return found

    def on_time(self, seconds: float, while_: str) -> str:
        """Lets it go on so long; every healthy host answers at each interval, at the 95th percentile in time."""
        begun_ms = _now_ms()
        time.sleep(max(seconds, 3.2 * self.interval))
        found = self.since(begun_ms)
        silent = self.healthy - found.keys()
        assert not silent, f"{while_}: {sorted(silent)[:5]} and more ({len(silent)}) are not polled"
        bad = {name for name in self.healthy for _, outcome in found[name] if outcome not in GOOD}
        assert not bad, f"{while_}: healthy hosts failed: {sorted(bad)[:5]} ({len(bad)})"
        gaps = [abs((b[0] - a[0]) / 1000 - self.interval) for name in self.healthy
                for a, b in zip(found[name], found[name][1:], strict=False)]  # fmt: skip
        late = percentile(gaps)
        assert late <= self.late, f"{while_}: {late:.2f} s off their time at the 95th percentile of {len(gaps)}"
        return f"p95 {late:.2f} s off their time"

    def seen(self, since_ms: int, names: frozenset[str], outcomes: tuple[str, ...] = GOOD) -> bool:
        """Whether each of these hosts had a poll of such an outcome since then."""
        found = self.since(since_ms)
        return all(any(outcome in outcomes for _, outcome in found.get(name, ())) for name in names)


def _now_ms() -> int:
    return int(time.time() * 1000)


def staying(lab: Lab) -> str:
    """Every fault for its time, with a calm phase after each."""
    daemon = _daemon(lab)
    lab.ends(daemon.kill)
    first = daemon.start()
    calm = lab.size(short=0.0, full=120.0)
    said = [f"first poll {first:.1f} s after the start"]
    daemon.until(lambda: daemon.seen(0, daemon.healthy), 240, "not every host was polled")
    daemon.on_time(calm, "before any fault")
    before = daemon.now()
    for name, fault in lab.size(short=_SOME, full=FAULTS).items():
        figure = fault(daemon, lab)
        said.append(f"{name}: {figure}, then {daemon.on_time(calm, f'after {name}')}")
    _flat(daemon, before, said)
    overlaps = daemon.made.site.rows(_OVERLAPS)
    assert overlaps == [(0,)], f"{overlaps} times two polls of one host at once"
    code, took = daemon.end()
    assert code == 0, f"exit {code} after SIGTERM: {daemon.last_words()}"
    assert took <= 10, f"it took {took:.1f} s to end"
    arrived = daemon.made.arrived()
    said.append(f"ended {took:.1f} s after SIGTERM; {arrived} of {arrived} polls in the archive")
    return "; ".join(said)


def _daemon(lab: Lab) -> Daemon:
    count, hung = lab.size(short=8, full=240), lab.size(short=2, full=60)
    interval, deadline = lab.size(short=2, full=20), lab.size(short=2, full=8)
    late = lab.size(short=3 * LATE, full=max(LATE, interval / 10))
    sshd = spread_sshd(lab, "MaxStartups 400", *lab.enter(ordinary_machine(lab.folder("machine"), _SLEEPERS)))
    servers = [lab.raw(hostile.never_speaks) for _ in range(-(-hung // 5))]
    hanging = "".join(element(servers[number // 5], f"hung{number}", sshd) for number in range(hung))
    hosts = f'<group name="all" interval="{interval}s" deadline="{deadline}s">{healthy(count)}{hanging}</group>'
    site = lab.site("", sshd)
    database = make_database(server(lab))
    made = Archived(site, database, lab.enter(relay(database.server.port)), hosts)
    made.configure()
    names = frozenset(f"web{number}" for number in range(count))
    return Daemon(made, names, frozenset(f"hung{number}" for number in range(hung)), interval, deadline, late)


def _flat(daemon: Daemon, before: Made, said: list[str]) -> None:
    """Threads, descriptors and memory, as far as they can be compared: the process is another since it was killed."""
    after = daemon.now()
    more = (after.bytes - before.bytes - _CACHES) / before.bytes * 100
    assert after.threads <= before.threads + 2, f"{after.threads} threads, {before.threads} before the faults"
    # Hosts that hang are being tried at one moment and not at another.
    more_open = 5 + len(daemon.hung)
    assert after.descriptors <= before.descriptors + more_open, (
        f"{after.descriptors} descriptors, {before.descriptors} before"
    )
    assert more <= 10, f"{after.bytes / MIB:.0f} MB, {before.bytes / MIB:.0f} before the faults"
    said.append(
        f"threads {before.threads} to {after.threads}, descriptors {before.descriptors} to {after.descriptors}, "
        f"{before.bytes / MIB:.0f} to {after.bytes / MIB:.0f} MB"
    )


# The faults. Each says what it saw


def _half_open(daemon: Daemon, lab: Lab) -> str:
    """The network to every third connection drops: the server's side of it stops, nothing is closed."""
    children = daemon.made.site.sshd.children()[::3]
    since_ms = _now_ms()
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    seconds = max(lab.size(short=0.0, full=60.0), daemon.interval + daemon.deadline + 2.0)
    time.sleep(seconds)
    failed = {name for name, polls in daemon.since(since_ms).items() if any(one not in GOOD for _, one in polls)}
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert failed & daemon.healthy, "nobody noticed"
    back_ms = _now_ms()
    took = daemon.until(lambda: daemon.seen(back_ms, daemon.healthy), 2 * daemon.interval + 70, "not all are back")
    return f"{len(failed & daemon.healthy)} of {len(daemon.healthy)} lost for {seconds:.0f} s, all back in {took:.0f} s"


def _archive_gone(daemon: Daemon, lab: Lab) -> str:
    """Stopped, killed and cut off, each for a while."""
    made, seconds = daemon.made, lab.size(short=3.0, full=60.0)
    said = []
    for name, broken, mended in (
        ("stopped", made.server.pause, made.server.resume),
        ("killed", made.server.kill, made.server.start),
        ("cut off", made.way.drop, made.way.restore),
    ):
        broken()
        since_ms = _now_ms()
        time.sleep(seconds)
        daemon.until(partial(daemon.seen, since_ms, daemon.healthy), 2 * daemon.interval + 5, "polling stopped")
        mended()
        said.append(f"{name} {_drained(daemon):.0f} s")
    return f"drained after being {', '.join(said)}"


def _drained(daemon: Daemon) -> float:
    return daemon.until(lambda: daemon.made.waiting() <= len(daemon.healthy) // 2, 60 + 2 * daemon.interval,
                        "the journal is not drained")  # fmt: skip


def _archive_slow(daemon: Daemon, lab: Lab) -> str:
    made, seconds = daemon.made, lab.size(short=3.0, full=60.0)
    made.way.delay = lab.size(short=0.5, full=5.0)
    late = daemon.on_time(seconds, "while statements are slow")
    made.way.delay = 0.0
    with statement(made, "LOCK TABLES poll WRITE"):
        locked = daemon.on_time(seconds, "while a table is locked")
    return f"slow statements: {late}; a locked table: {locked}; drained in {_drained(daemon):.0f} s"


def _journal_locked(daemon: Daemon, lab: Lab) -> str:
    """Another program holds the journal; what was polled meanwhile is stored when it lets go."""
    seconds = lab.size(short=3.0, full=30.0)
    with closing(sqlite3.connect(daemon.made.site.journal, isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 10000")
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")
    free_ms = _now_ms()
    took = daemon.until(lambda: daemon.seen(free_ms, daemon.healthy), 3 * daemon.interval + 15, "not polled again")
    return f"all polled {took:.0f} s after {seconds:.0f} s"


def _archive_hangs_up(daemon: Daemon, lab: Lab) -> str:
    times, cut = lab.size(short=2, full=10), 0
    for _ in range(times):
        for (number,) in daemon.made.ask("SELECT id FROM information_schema.processlist WHERE user <> 'root'"):
            with suppress(Exception):  # it has ended by itself
                daemon.made.ask(f"KILL {number}")
                cut += 1
        time.sleep(lab.size(short=1.0, full=3.0))
    return f"{cut} connections ended, drained in {_drained(daemon):.0f} s"


def _reloaded(daemon: Daemon, lab: Lab) -> str:
    """Signals: a config that cannot be, one that can, many in a row."""
    config = daemon.made.site.config
    good = config.read_text()
    since_ms = _now_ms()
    config.write_text(good[:-20])
    os.kill(daemon.pid, signal.SIGHUP)
    daemon.until(lambda: "config.xml" in daemon.last_words(), 15, "a broken config.xml is not told")
    config.write_text(good.replace('name="web0"', 'name="renamed"'))
    for _ in range(lab.size(short=2, full=10)):
        os.kill(daemon.pid, signal.SIGHUP)
        time.sleep(0.1)
    daemon.until(lambda: daemon.seen(since_ms, frozenset({"renamed"})), 2 * daemon.interval + 20, "no new host")
    config.write_text(good)
    back_ms = _now_ms()
    os.kill(daemon.pid, signal.SIGHUP)
    daemon.until(lambda: daemon.seen(back_ms, frozenset({"web0"})), 2 * daemon.interval + 20, "the old host is gone")
    return "a broken config refused, a new host polled, the old one back"


def _few_descriptors(daemon: Daemon, lab: Lab) -> str:
    """So few descriptors that nothing can be opened, for a while, and half of the sessions end meanwhile."""
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (40, limits[1]))
    for pid in daemon.made.site.sshd.children()[::2]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    time.sleep(max(lab.size(short=0.0, full=30.0), 2.0 * daemon.interval))
    assert daemon.process is not None
    assert daemon.process.poll() is None, f"it ended without descriptors: {daemon.last_words()}"
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)
    free_ms = _now_ms()
    took = daemon.until(lambda: daemon.seen(free_ms, daemon.healthy), 2 * daemon.interval + 70, "not all are back")
    return f"all back {took:.0f} s after there were descriptors again"


def _killed(daemon: Daemon, lab: Lab) -> str:
    """kill -9 at any time, and started again."""
    worst = 0.0
    for number in range(lab.size(short=2, full=10)):
        time.sleep((number * 0.37) % 2)
        assert daemon.process is not None
        daemon.process.kill()
        daemon.process.wait(30)
        worst = max(worst, daemon.start())
    assert worst < 10, f"the first poll came {worst:.1f} s after a start"
    since_ms = _now_ms()
    daemon.until(lambda: daemon.seen(since_ms, daemon.healthy), 2 * daemon.interval + 60, "not all are polled again")
    return f"first poll <= {worst:.1f} s after each start"


def _stopped(daemon: Daemon, lab: Lab) -> str:
    """Stopped for several intervals: one poll of each host when it goes on, not one for each that was missed."""
    seconds = lab.size(short=3 * daemon.interval, full=3 * daemon.interval)
    stop(daemon.pid)
    time.sleep(seconds)
    since_ms = _now_ms()
    os.kill(daemon.pid, signal.SIGCONT)
    daemon.until(lambda: daemon.seen(since_ms, daemon.healthy), 2 * daemon.interval + 20, "not all are polled again")
    time.sleep(max(0.0, daemon.interval - (_now_ms() - since_ms) / 1000))
    found = daemon.since(since_ms)
    most = max(len(found[name]) for name in daemon.healthy)
    spent = (_now_ms() - since_ms) / 1000
    assert most <= spent / daemon.interval + 2, f"{most} polls of one host in {spent:.0f} s after it went on"
    return f"{seconds} s; at most {most} polls of a host in the {spent:.0f} s after"


FAULTS: Final[dict[str, Callable[[Daemon, Lab], str]]] = {
    "a killed daemon": _killed,
    "half-open connections": _half_open,
    "an archive that is away": _archive_gone,
    "a slow archive": _archive_slow,
    "an archive that hangs up": _archive_hangs_up,
    "a locked journal": _journal_locked,
    "signals": _reloaded,
    "no descriptors": _few_descriptors,
    "a stopped daemon": _stopped,
}
# The others last as long as somebody else's patience, whatever the form.
_SOME: Final = {name: FAULTS[name] for name in ("a killed daemon", "half-open connections", "signals")}

EXPERIMENTS: Final = (
    Experiment("S1", "a daemon, a fifth of its hosts hanging, and everything else in turn",
               "the others on time between the faults; no poll lost, doubled or at once with another; nothing grows",
               staying),
)  # fmt: skip

"""From an event on a host to the line on the screen: real mounts on hosts that `poller watch` follows, 60 at once.

The daemon holds the sessions, `poller watch --json` is a process beside it, as on an administrator's terminal.

Each session of the fleet has a mount namespace of its own. A file system is mounted in one of them, after the other,
by a process that enters it and tells the monotonic clock of that moment; the time ends when the line that names the
mount point has been read from `poller watch --json`. The figure of a run is the 95th percentile of its mounts.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import process
from benchmarks.daemon import AT_ONCE, running
from benchmarks.fleet import Fleet
from benchmarks.measure import Missing, Row, Rows, spread
from benchmarks.peers import ROOT
from poller.cli import COMMANDS

SESSIONS: Final = 60
MOUNTS: Final = 60
CLAIM: Final = "event to screen, p95, a mount on one of"
_READY_SECONDS: Final = 120.0
_SEEN_SECONDS: Final = 10.0
# PID PATH: mounts a tmpfs there in the mount namespace of that process (setns(2), mount(2)), and says when.
_MOUNT: Final = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
there = os.open(f"/proc/{sys.argv[1]}/ns/mnt", os.O_RDONLY)
path = sys.argv[2].encode()
if libc.setns(there, 0x20000):
    raise OSError(ctypes.get_errno(), "setns")
began = time.monotonic()
if libc.mount(b"none", path, b"tmpfs", 0, b"size=64k"):
    raise OSError(ctypes.get_errno(), "mount")
print(began)
"""


def rows(fleet: Fleet, runs: int, sessions: int = SESSIONS) -> Rows:
    claim = f"{CLAIM} {sessions} sessions"
    if not fleet.ordinary:
        yield Missing(claim, "needs root: a mount in the namespace of each session")
        return
    if "watch" not in (name for name, _, _ in COMMANDS):
        yield Missing(claim, "this poller has no `poller watch`")
        return
    figures: list[float] = []
    config = fleet.config(sessions, everything=True, at_once=AT_ONCE, name="live-")
    with running(fleet, config), _watching(fleet, config) as screen:
        probes = _probes(fleet, sessions)
        for number, pid in enumerate(probes):
            screen.wait_for_first(fleet, pid, f"ready{number}")
        for run in range(runs):
            taken = sorted(
                screen.seen(fleet, probes[number % len(probes)], f"run{run}-{number}") for number in range(MOUNTS)
            )
            figures.append(1000 * taken[int(0.95 * (len(taken) - 1))])
    words = f"p95 of {MOUNTS} mounts, ms: {spread(figures)}"
    yield Row(claim, words, tuple(figures), 100.0, "ms")


class Screen:
    """The lines that came, each with the instant at which it was read."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, bytes]] = []
        self._more = threading.Condition()

    def add(self, line: bytes) -> None:
        now = time.monotonic()
        with self._more:
            self._lines.append((now, line))
            self._more.notify_all()

    def wait_for(self, text: bytes, seconds: float) -> float | None:
        """When a line with it came; None when none does in time."""
        until = time.monotonic() + seconds
        looked = 0
        with self._more:
            while True:
                for at, line in self._lines[looked:]:
                    if text in line:
                        return at
                looked = len(self._lines)
                left = until - time.monotonic()
                if left <= 0 or not self._more.wait(left):
                    return None

    def seen(self, fleet: Fleet, pid: int, name: str) -> float:
        """Seconds from a mount until its line."""
        path = _folder(fleet, name)
        began = _mount(pid, path)
        at = self.wait_for(str(path).encode(), _SEEN_SECONDS)
        _unmount(pid, path)
        if at is None:
            raise RuntimeError(f"a mount was not shown in {_SEEN_SECONDS:g} s")
        return at - began

    def wait_for_first(self, fleet: Fleet, pid: int, name: str) -> None:
        """Until that session is watched: what is mounted before is no event."""
        until = time.monotonic() + _READY_SECONDS
        for number in range(1 << 20):
            path = _folder(fleet, f"{name}-{number}")
            _mount(pid, path)
            shown = self.wait_for(str(path).encode(), 2.0)
            _unmount(pid, path)
            if shown is not None:
                return
            if time.monotonic() > until:
                raise RuntimeError("a session was not watched in time")


def _folder(fleet: Fleet, name: str) -> Path:
    path = fleet.folder / "mounts" / f"{name}-end"
    path.mkdir(parents=True)
    return path


def _mount(pid: int, path: Path) -> float:
    command = [sys.executable, "-IS", "-c", _MOUNT, str(pid), str(path)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def _unmount(pid: int, path: Path) -> None:
    subprocess.run(["nsenter", f"--mount=/proc/{pid}/ns/mnt", "umount", str(path)], check=True)


def _probes(fleet: Fleet, sessions: int) -> list[int]:
    """The processes of the probes, once there are as many."""
    until = time.monotonic() + _READY_SECONDS
    while True:
        found = [pid for pid in process.tree(int((fleet.sshd.folder / "sshd.pid").read_text())) if _is_probe(pid)]
        if len(found) >= sessions:
            return found
        if time.monotonic() > until:
            raise RuntimeError(f"only {len(found)} of {sessions} sessions began")
        time.sleep(0.2)


def _is_probe(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return words[0].endswith(b"python3") and words[1:2] == [b"-IS"]


def _wait_for_daemon(status: list[str], fleet: Fleet) -> None:
    """Until it answers: without one `poller watch` would poll by itself."""
    until = time.monotonic() + _READY_SECONDS
    while subprocess.run(status, cwd=ROOT, env=fleet.environment(), capture_output=True, check=False).returncode:
        if time.monotonic() > until:
            raise RuntimeError("the daemon does not answer")
        time.sleep(0.2)


@contextmanager
def _watching(fleet: Fleet, config: Path) -> Iterator[Screen]:
    """`poller watch --json` over all hosts of the daemon."""
    poller = [sys.executable, "-u", "-m", "poller", "--config", str(config)]
    _wait_for_daemon([*poller, "daemon", "--status"], fleet)
    command = [*poller, "watch", "--json"]
    said = fleet.folder / "watch.log"
    with said.open("wb") as log:
        started = subprocess.Popen(
            command, cwd=ROOT, env=fleet.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
    screen = Screen()
    lines = started.stdout
    assert lines

    def read() -> None:
        for line in lines:
            screen.add(line)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield screen
    finally:
        started.send_signal(signal.SIGINT)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        reader.join()

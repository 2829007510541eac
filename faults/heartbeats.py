"""N5: the poller dies. A watcher outside hears a beginning without an end, or nothing, and notices in time.

The watcher is a server on loopback in the convention of Healthchecks: a check is down when its last success is older
than its period and its grace, when a round that began did not end within its grace, or when one ended otherwise than 0.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from faults.experiment import Experiment
from faults.lab import MIB, PYTHON, Lab
from faults.near import local, near
from tests.end_to_end.disk import small_disk
from tests.notify.servers import dead_port, hostile_server
from tests.notify.web import Answer, Site, web_server

_INTERVALS: Final = 3


@dataclass(frozen=True, slots=True)
class Beat:
    """`what` is `start` or an exit status; `rid` joins the two of one round."""

    at: float
    what: str
    rid: str


@dataclass
class Watcher:
    """Expects a success every `interval` seconds, and waits for one of them more. `beats` are all it heard."""

    interval: float = 60.0
    beats: list[Beat] = field(default_factory=list)

    def heard(self, path: str) -> Answer:
        parts = urlsplit(path)
        what = parts.path.rpartition("/")[2]
        self.beats.append(Beat(time.monotonic(), what, parse_qs(parts.query)["rid"][0]))
        return 200, {}, b"OK"

    def alarm(self, now: float) -> str:
        """Why something is wrong; "" when all is well, or nothing was ever heard."""
        if not self.beats:
            return ""
        ends = [beat for beat in self.beats if beat.what != "start"]
        if ends and ends[-1].what != "0":
            return f"failed with {ends[-1].what}"
        begun = self.open()
        if begun is not None and now - begun.at > self.interval:
            return "began and did not end"
        good = [beat.at for beat in ends if beat.what == "0"]
        return "silent" if good and now - good[-1] > 2 * self.interval else ""

    def open(self) -> Beat | None:
        """The newest round, when its end was not heard."""
        starts = [beat for beat in self.beats if beat.what == "start"]
        ended = {beat.rid for beat in self.beats if beat.what != "start"}
        return starts[-1] if starts and starts[-1].rid not in ended else None


class Watched:
    """A site with one host, whose poll may be made to wait, and the watcher of its poller."""

    def __init__(self, lab: Lab) -> None:
        self.watcher = Watcher()
        self.url = lab.enter(web_server(Site(self.watcher.heard))).url("/ping/1")
        self.site = near(lab, "")
        self._hold = self.site.folder / "hold"
        self._python = self.site.folder / "python-that-waits"
        self._python.write_text(f'#!/bin/sh\nwhile [ -e {self._hold} ]; do sleep 0.05; done\nexec {PYTHON} "$@"\n')
        self._python.chmod(0o755)
        self.write(self.url)

    def write(self, url: str, timeout: str = "5s") -> None:
        beat = f'<heartbeat url="{url}" timeout="{timeout}"/>'
        self.site.write(local("me", more=f'python="{self._python}"'), more=beat, deadline="60s")

    @property
    def alarm(self) -> str:
        return self.watcher.alarm(time.monotonic())

    def hears(self, *what: str) -> None:
        """These are the newest beats, and those of a round belong together."""
        newest = self.watcher.beats[-len(what) :]
        assert [beat.what for beat in newest] == list(what), [beat.what for beat in self.watcher.beats]
        assert len({beat.rid for beat in newest}) == 1, "an end of another round"

    def ended_by(self, number: signal.Signals) -> int:
        """A signal in the middle of a round; its exit status."""
        begun = len(self.watcher.beats)
        self._hold.touch()
        try:
            with self.site.running("run", "-q") as process:
                _until(lambda: len(self.watcher.beats) > begun, 30, "no beginning was heard")
                process.send_signal(number)
                return process.wait(30)
        finally:
            self._hold.unlink()  # the probe, which may have survived its poller, ends


def heartbeats(lab: Lab) -> str:
    """N5."""
    watched = Watched(lab)
    began = time.monotonic()
    watched.site.poller("run", "-q")
    watched.hears("start", "0")
    watched.watcher.interval = max(lab.size(short=1.0, full=10.0), 2 * (time.monotonic() - began))
    noticed = [_killed(watched) for _ in range(lab.size(short=1, full=3))]
    watched.site.poller("run", "-q")
    assert watched.alarm == "", "a good round does not end the alarm"
    silent = _noticed(watched, "silent")
    status = watched.ended_by(signal.SIGTERM)
    watched.hears("start", str(status))
    assert status == 143 and watched.alarm == "failed with 143"
    full = _full_disk(lab, watched)
    seconds = _nobody_listens(watched)
    interval = watched.watcher.interval
    return (
        f"SIGKILL in {len(noticed)} rounds: noticed <= {max(noticed):.1f} intervals of {interval:.0f} s "
        f"later; never started again: {silent:.1f}; SIGTERM beats 143, a full disk {full}, then 0; "
        f"a dead and a silent watcher cost <= {seconds:.1f} s, exit 0"
    )


def _until(true: Callable[[], object], seconds: float, complaint: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, complaint
        time.sleep(0.01)


def _noticed(watched: Watched, why: str) -> float:
    """Intervals from now, when the poller is gone, until the watcher notices."""
    died, heard = time.monotonic(), len(watched.watcher.beats)
    _until(lambda: watched.alarm, _INTERVALS * watched.watcher.interval, "nobody noticed that the poller is gone")
    assert watched.alarm == why and len(watched.watcher.beats) == heard, watched.alarm
    return (time.monotonic() - died) / watched.watcher.interval


def _killed(watched: Watched) -> float:
    watched.site.poller("run", "-q")
    assert watched.ended_by(signal.SIGKILL) == -signal.SIGKILL
    assert watched.watcher.open() is not None, "the end of a round that was killed"
    return _noticed(watched, "began and did not end")


def _full_disk(lab: Lab, watched: Watched) -> str:
    """The exit status and the beat of a round on a disk that is full, and of one when there is room."""
    disk = lab.enter(small_disk(lab.tmp / "journal", 4 * MIB))
    site = near(lab, "", name="full")
    lab.sites.remove(site)  # its journal is on the disk, where no invariant can look
    site.prefix = tuple(disk.enter)
    config = watched.site.config.read_text().replace("poller.db", str(disk.folder / "poller.db"))
    site.config.write_text(config)
    site.poller("run", "-q")
    watched.hears("start", "0")
    disk.fill()
    site.poller("run", "-q", code=74)
    watched.hears("start", "74")
    assert watched.alarm == "failed with 74"
    disk.clear()
    site.poller("run", "-q")
    watched.hears("start", "0")
    return "74"


def _nobody_listens(watched: Watched) -> float:
    """Seconds that a round takes at most when the watcher is dead, and when it says nothing for its time-out of 1 s."""
    took = []
    with hostile_server(lambda connection: None) as (port, _received):
        for url in (f"http://127.0.0.1:{dead_port()}/ping", f"http://127.0.0.1:{port}/ping"):
            watched.write(url, timeout="1s")
            began = time.monotonic()
            watched.site.poller("run", "-q")
            took.append(time.monotonic() - began)
    return max(took)


EXPERIMENTS: Final = (
    Experiment("N5", "the poller dies in a round, is never started again, or cannot store anything",
               "a watcher outside notices within three intervals, or hears the exit status", heartbeats),
)  # fmt: skip

"""An engine that runs in a test: what comes is stored nowhere, but remembered as the daemon does."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from poller.fleet.threads import Threads
from poller.model import NEVER, Before, Config, Host, LinkState, Poll, PollOutcome, PollSettings, Push, Watch
from poller.store import Journal
from remote_probe.collectors import NAMES

SECONDS = 30.0
SEEN = (PollOutcome.OK, PollOutcome.PARTIAL)


class Running:
    """Threads over some hosts, what came of them so far, and what is remembered."""

    def __init__(self, folder: Path, at_once: int = 20) -> None:
        journal = folder / "poller.db"
        Journal.open(journal, now_ms=0).close()
        self.engine = Threads(Config(folder / "config.xml", journal, at_once=at_once), linger=0.05)
        self.polls: list[Poll] = []
        self.pushes: list[Push] = []
        self.links: list[LinkState] = []
        self.befores: dict[str, Before] = {}

    def of(self, host: str) -> list[Poll]:
        return [poll for poll in self.polls if poll.host == host]

    def take(self, seconds: float = 0.2) -> None:
        arrivals = self.engine.take(seconds)
        self.polls += arrivals.polls
        self.pushes += arrivals.pushes
        self.links += arrivals.links
        self.engine.know({poll.host: self._remembered(poll) for poll in arrivals.polls})

    def until(self, done: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
        """Takes what comes until `done()`."""
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                raise AssertionError(f"{what}: {[(poll.host, poll.stage, poll.error) for poll in self.polls]}")
            self.take()

    def polled(self, count: int, host: str = "web1") -> list[Poll]:
        """Its polls, once there are so many."""
        self.until(lambda: len(self.of(host)) >= count, f"{count} polls of {host}")
        return self.of(host)

    def ask(self, host: str = "web1") -> Poll:
        """One more poll, now."""
        count = len(self.of(host))
        self.engine.poll_now([host])
        return self.polled(count + 1, host)[-1]

    def link(self, host: str = "web1") -> LinkState:
        return self.engine.links()[host]

    def _remembered(self, poll: Poll) -> Before:
        if poll.report is None:
            return replace(self.befores.get(poll.host, Before()), failures=1)
        asked = {section.name: poll.asked_ms for section in poll.report.now.sections}
        before = Before(poll.report.now, address=poll.address, asked_ms=asked, host_key=poll.host_key)
        self.befores[poll.host] = before
        return before


@contextlib.contextmanager
def running(
    folder: Path,
    *hosts: Host,
    befores: Mapping[str, Before] | None = None,
    at_once: int = 20,
    run: Running | None = None,
) -> Iterator[Running]:
    """Started, and stopped at the end. `run`: one that is made already, and not started."""
    run = run or Running(folder, at_once)
    run.engine.start(hosts, befores or {})
    try:
        yield run
    finally:
        run.engine.stop(5.0)
        run.engine.know({})


def seldom(host: Host, interval: float = 3600.0, deadline: float = 10.0) -> Host:
    """Polled once, and then when it is asked for; the cheap sections only."""
    cheap = Watch(every=dict.fromkeys(set(NAMES) - {"system", "memory", "load"}, NEVER))
    return replace(host, poll=PollSettings(interval=interval, deadline=deadline), watch=cheap)


def threads() -> list[str]:
    """Those of hosts."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("host ")]


def files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def good(polls: list[Poll]) -> bool:
    return all(poll.outcome in SEEN for poll in polls)

"""A probe that watches, as a host would run it; and what it pushes, opened as the centre does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from poller.model import Push, Report, Watch
from poller.probe.envelope import open_report
from poller.probe.payload import Payload, build
from poller.probe.report import parse
from poller.probe.request import Request
from poller.probe.watching import Opener, WatchRequest
from tests.remote_probe.farside import Probe, running

EVERYTHING = Watch()
IDLE = 60.0


def wanting(payload: Payload, watch: Watch = EVERYTHING, *, loopback: bool = False) -> WatchRequest:
    return WatchRequest.fresh("web1", "local", payload, watch, IDLE, loopback=loopback)


class Live:
    """Everything pushed so far is in `pushes`, reports that were asked for meanwhile in `reports`."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.openers: dict[bytes, Opener] = {}
        self.requests: dict[bytes, Request] = {}
        self.pushes: list[Push] = []
        self.reports: list[Report] = []

    def watch(self, request: WatchRequest, before: bytes = b"") -> None:
        self.openers[request.marker.encode()] = request.opener()
        self.probe.send(before + request.frame)

    def ask(self, request: Request) -> None:
        self.requests[request.marker.encode()] = request
        self.probe.send(request.frame)

    def until(self, found: Callable[[list[Push]], object]) -> list[Push]:
        """Reads on until that is so. A probe that says nothing is killed by its guard."""
        while not found(self.pushes):
            self.next()
        return self.pushes

    def next(self) -> bytes:
        """The marker of the frame that came next."""
        for line in self.probe.stdout:
            words = line.split()
            if line.startswith(b"#") and len(words) == 3:
                marker, sealed = words[0][1:], self.probe.stdout.read(int(words[2]))
                if words[1] == b"event":
                    self.pushes.append(self.openers[marker].open(sealed, time.time_ns() // 10**6))
                else:
                    request = self.requests[marker]
                    self.reports.append(parse(open_report(sealed, request), request))
                return marker
            self.probe.noise += line
        raise AssertionError(f"it ended; {self.probe.noise!r}")

    def begun(self) -> None:
        """It has opened all its sources, and read everything once."""
        self.until(lambda pushes: any(push.reading for push in pushes))


@contextmanager
def watching(
    folder: Path,
    *,
    python: str = sys.executable,
    wrap: Callable[[str], str] = str,
    watch: Watch = EVERYTHING,
    loopback: bool = False,
) -> Iterator[Live]:
    payload = build(("load",), watch=True)
    with running(folder, python, wrap=wrap) as probe:
        live = Live(probe)
        live.watch(wanting(payload, watch, loopback=loopback), payload.data)
        live.begun()
        yield live
        assert probe.end() == (0, b"")
    assert probe.noise.strip() == b""

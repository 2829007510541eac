"""Runs the probe as sshd would: the frozen command in a shell, an empty folder, an emptied environment."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poller.model import Before, Report
from poller.probe.envelope import open_report
from poller.probe.payload import Payload, build, command, pack, sources
from poller.probe.report import parse
from poller.probe.request import Request

PATIENCE = 30.0
INTERPRETERS = [sys.executable, *(path for path in map(shutil.which, ("/usr/bin/python3", "pypy3")) if path)]


def asking(payload: Payload, **changes: Any) -> Request:
    """A request as the centre makes it, with other values where a test wants them."""
    request = Request.fresh("web1", "local", Before(), payload, 20.0)
    body = {**json.loads(request.body), "window": 0.0, **changes}
    return dataclasses.replace(request, body=json.dumps(body, sort_keys=True).encode())


def with_collector(source: str, section: str = "load") -> Payload:
    """The usual payload, but with another collector for one section."""
    name = f"remote_probe/collectors/{section}.py"
    assert name in sources()
    return pack({**sources(), name: source}, build().sections)


class Probe:
    """A running probe. What it says outside frames is kept in `noise`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.noise = b""
        assert process.stdin and process.stdout
        self.stdin, self.stdout = process.stdin, process.stdout

    def send(self, data: bytes) -> None:
        self.stdin.write(data)
        self.stdin.flush()

    def sealed(self, request: Request) -> bytes:
        """The payload of the frame that answers this request."""
        start = b"#" + request.marker.encode() + b" report "
        for line in self.stdout:
            if line.startswith(start):
                return self.stdout.read(int(line[len(start) :]))
            self.noise += line
        raise AssertionError(f"no answer; {self.noise!r}")

    def report(self, request: Request) -> Report:
        return parse(open_report(self.sealed(request), request), request)

    def end(self) -> tuple[int, bytes]:
        """Closes its input; the exit status and all it wrote to standard error."""
        self.stdin.close()
        return self.gone()

    def gone(self) -> tuple[int, bytes]:
        assert self.process.stderr
        stderr = self.process.stderr.read()
        return self.process.wait(PATIENCE), stderr


@contextmanager
def running(
    folder: Path, python: str = sys.executable, shell: str = "/bin/sh", wrap: Callable[[str], str] = str
) -> Iterator[Probe]:
    """A shell that was told the frozen command, killed at the latest after PATIENCE seconds."""
    process = subprocess.Popen(
        [shell, "-c", wrap(command(python))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={},
        start_new_session=True,
    )
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    try:
        with process:
            yield Probe(process)
            if process.poll() is None:
                process.kill()
    finally:
        guard.cancel()
    assert list(folder.iterdir()) == []

"""Stand-ins for the probe: small programs that go through the real frozen command and answer with a frame."""

from __future__ import annotations

import gc
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poller.errors import HostError
from poller.model import Before, Deadline, Host, Stopwatch
from poller.ssh import Answer, Gates, connect

COMMAND = "exec python3 -IS -c 'import sys;f=sys.stdin.buffer;exec(f.read(int(f.readline())))'"
MARKER = "0123456789abcdef" * 2

WRITE = """
import os, sys
def put(data, fd=1):
    while data:
        data = data[os.write(fd, data):]
def frame(body=b"report", marker=%r):
    put(b"\\n#" + marker.encode() + b" report " + str(len(body)).encode() + b"\\n" + body)
""" % (MARKER,)  # noqa: UP031 - the text is full of braces' cousins

ANSWER = "frame(b'report')\nsys.stdin.buffer.read()\n"


def outgoing(program: str = ANSWER) -> bytes:
    """What is sent: the length line and a program with `put` and `frame` to write with."""
    text = (WRITE + program).encode()
    return b"%d\n" % len(text) + text


def ask(
    host: Host,
    program: str = ANSWER,
    *,
    command: str = COMMAND,
    seconds: float = 10.0,
    before: Before | None = None,
    gates: Gates | None = None,
    stopwatch: Stopwatch | None = None,
) -> Answer:
    """One poll of `host`, as far as SSH goes."""
    deadline = Deadline(seconds)
    with connect(
        host,
        command=command,
        deadline=deadline,
        stopwatch=stopwatch or Stopwatch(),
        before=before or Before(),
        gates=gates,
    ) as session:
        return session.ask(outgoing(program), MARKER, deadline=deadline)


def fails(host: Host, program: str = ANSWER, *, command: str = COMMAND, seconds: float = 10.0) -> HostError:
    """The error that such a poll ends with: never anything else, and soon after its deadline.

    A machine that is busy with other tests may be seconds late; what knows no deadline waits for twenty and more.
    """
    started = time.monotonic()
    with pytest.raises(HostError) as caught:
        ask(host, program, command=command, seconds=seconds)
    assert time.monotonic() - started < seconds + 4
    return caught.value


def outcome(error: HostError) -> str:
    return f"{error.stage}/{error.code}"


def threads() -> list[str]:
    """Threads that a poll has left; the watchdog stays."""
    return [thread.name for thread in threading.enumerate() if thread.name not in ("MainThread", "ssh-watchdog")]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def nothing_left() -> Iterator[None]:
    """Threads and descriptors are as before when the block ends, within ten seconds."""
    gc.collect()  # or what others left would be closed meanwhile, and hide as much that is left here
    before = len(threads()), descriptors()
    yield
    until = time.monotonic() + 10
    while (len(threads()), descriptors()) > before and time.monotonic() < until:
        os.sched_yield()
        time.sleep(0.01)
    assert (len(threads()), descriptors()) <= before, threads()

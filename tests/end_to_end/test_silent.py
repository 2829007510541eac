"""The real probe, hanging in a collector: the poll ends by its deadline, and soon nothing runs on the host."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from poller.errors import HostError
from poller.model import Before, Deadline, Stopwatch
from poller.probe.payload import SECTIONS, command, pack, sources
from poller.probe.request import Request
from poller.ssh import connect
from tests.end_to_end.sshd import Sshd
from tests.ssh.standins import nothing_left, outcome

HANGS = """
import os, time
def read(host):
    with open({path!r}, "w") as file:
        file.write("%d" % os.getpid())
    while True:
        time.sleep(3600)
    yield
"""


def running(pid: int) -> bool:
    """A zombie has ended."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_probe_that_hangs_ends_by_itself_when_the_poller_has_gone(sshd: Sshd, tmp_path: Path) -> None:
    written = tmp_path / "pid"
    hanging = {**sources(), "remote_probe/collectors/load.py": HANGS.format(path=str(written))}
    payload = pack(hanging, SECTIONS)
    request = Request.fresh("web1", "SHA256:any", Before(), payload, deadline=60)
    started = time.monotonic()
    with nothing_left(), pytest.raises(HostError) as caught:
        deadline = Deadline(2)
        with connect(sshd.host(), command=command(), deadline=deadline, stopwatch=Stopwatch()) as session:
            session.ask(payload.data + request.frame, request.marker, deadline=deadline)
    assert time.monotonic() - started < 3
    assert outcome(caught.value) == "probe/timeout"
    probe = int(written.read_text())
    until = time.monotonic() + 10
    while running(probe) and time.monotonic() < until:
        time.sleep(0.02)
    assert not running(probe)

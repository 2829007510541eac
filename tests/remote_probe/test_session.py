"""When the sshd began to listen by which the poller came: what tells a restart of it from a network that was away."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from poller.model import Before, Poll, System
from poller.poll import poll
from poller.ssh import Gates
from remote_probe.host import Host
from tests.end_to_end.sshd import Sshd

Process = tuple[str, int, int, str]  # name, parent, started in ticks, command line
INIT: Process = ("systemd", 0, 1, "/sbin/init")
PROBE: Process = ("python3", 30, 900, "python3")  # 40, started by 30


def machine(folder: Path, processes: dict[int, Process]) -> Host:
    """Process 40 is the probe."""
    for pid, (name, parent, started, title) in processes.items():
        (folder / f"proc/{pid}").mkdir(parents=True)
        rest = " ".join(["0"] * 17)
        (folder / f"proc/{pid}/stat").write_text(f"{pid} ({name}) S {parent} {rest} {started} 0 0\n")
        (folder / f"proc/{pid}/cmdline").write_text(title)
    (folder / "proc/self").mkdir()
    (folder / "proc/self/stat").write_bytes((folder / "proc/40/stat").read_bytes())
    made = Host(os.fsencode(folder))
    made.ticks = 100
    return made


@pytest.mark.parametrize(
    ("between", "seconds"),
    [
        ({10: ("sshd", 1, 250, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"),
          20: ("sshd", 10, 800, "sshd: op [priv]"), 30: ("sshd", 20, 810, "sshd: op@notty")}, 2.5),
        ({10: ("sshd", 1, 250, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"),
          20: ("sshd-session", 10, 800, "sshd-session: op [priv]"),
          21: ("sshd-session", 20, 801, "sshd-session: op@notty"),
          22: ("bash", 21, 802, "bash -c exec sudo"), 23: ("sudo", 22, 803, "sudo -n python3"),
          30: ("sudo", 23, 804, "sudo -n python3")}, 2.5),
        ({10: ("dropbear", 1, 333, "/usr/sbin/dropbear"), 30: ("dropbear", 10, 800, "/usr/sbin/dropbear")}, 3.33),
        # systemd listens, and starts one for each connection
        ({20: ("sshd", 1, 800, "sshd: op [priv]"), 30: ("sshd", 20, 810, "sshd: op@notty")}, 0.0),
        # the poller's own machine, asked without SSH from a terminal
        ({30: ("bash", 1, 500, "bash")}, 0.0),
        ({30: ("cron", 1, 500, "cron")}, 0.0),
    ],
    ids=["debian", "openssh-10-with-sudo", "dropbear", "socket-activated", "terminal", "cron"],
)  # fmt: skip
def test_the_listener_is_found_behind_whatever_stands_between(
    tmp_path: Path, between: dict[int, Process], seconds: float
) -> None:
    assert machine(tmp_path, {1: INIT, **between, 40: PROBE}).sshd_started() == seconds


def test_hidden_processes_hide_it(tmp_path: Path) -> None:
    assert machine(tmp_path, {40: PROBE}).sshd_started() == 0.0


def started(server: Sshd) -> float:
    made: Poll = poll(server.host(), Before(), Gates())
    assert made.report is not None, made.error
    (row,) = made.report.now.rows(System)
    assert isinstance(row, System)
    return row.sshd_started


def test_a_real_one_is_the_same_in_each_poll_and_another_after_a_restart(sshd: Sshd) -> None:
    first = started(sshd)
    # Of this boot: a container counts from the boot of its machine, too.
    assert 0 < first <= time.clock_gettime(time.CLOCK_BOOTTIME) + 1
    assert started(sshd) == first
    lines = sshd.log().count("Server listening")
    sshd.stop()
    sshd.start(sshd.port)
    sshd.wait_for_log("Server listening", 2 * lines)
    assert started(sshd) > first

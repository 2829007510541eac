"""A daemon that was stopped in the middle of polls: on return each host is polled, and none of them failed."""

from __future__ import annotations

import os
import signal
import time

from tests.daemon.daemons import StartDaemon, overlaps, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd
from tests.stopped import stop

__all__ = ["make_sshd", "site", "sshd", "start"]

# Seconds: how long a host may take, and how long nothing moves, which is far longer than that.
DEADLINE = 8.0
STANDSTILL = 16.0


def test_a_poll_during_which_the_poller_stood_still_is_no_failure_of_the_host(site: Site, start: StartDaemon) -> None:
    began = site.folder / "began"
    slow = site.folder / "slow"
    slow.write_text(f'#!/bin/sh\ntouch {began}\nsleep 2\nexec python3 "$@"\n')
    slow.chmod(0o700)
    site.write(f'<host name="web1" address="127.0.0.1" python="{slow}" interval="60s" deadline="{DEADLINE:g}s"/>')
    daemon = start()
    daemon.until(began.exists, "a poll that is under way")
    stop(daemon.process.pid)
    resumed = time.monotonic() + STANDSTILL
    while time.monotonic() < resumed:
        time.sleep(0.1)
    os.kill(daemon.process.pid, signal.SIGCONT)
    daemon.until_polled(1)
    assert daemon.end() == 0
    outcomes = [outcome for (outcome,) in site.rows("SELECT outcome FROM poll")]
    # Two where the deadline, which passed meanwhile, ended the session behind a poll that had just been answered.
    assert 1 <= len(outcomes) <= 2 and set(outcomes) <= {"ok", "partial"}, outcomes
    assert overlaps(site) == 0

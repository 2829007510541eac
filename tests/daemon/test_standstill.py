"""A daemon that was stopped in the middle of a poll: on return the host is polled once, and did not fail."""

from __future__ import annotations

import os
import signal
import time

from poller.clock import now_ms
from tests.daemon.daemons import StartDaemon, overlaps, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd
from tests.stopped import stop

__all__ = ["make_sshd", "site", "sshd", "start"]

# Seconds: how often a host is polled and how long it may take, and how long nothing moves, which is far longer.
INTERVAL = 8.0
DEADLINE = 6.0
STANDSTILL = 18.0


def test_a_poll_during_which_the_poller_stood_still_is_the_only_one_on_return(site: Site, start: StartDaemon) -> None:
    began = site.folder / "began"
    slow = site.folder / "slow"
    slow.write_text(f'#!/bin/sh\ntouch {began}\nsleep 2\nexec python3 "$@"\n')
    slow.chmod(0o700)
    seconds = f'interval="{INTERVAL:g}s" deadline="{DEADLINE:g}s"'
    site.write(f'<host name="web1" address="127.0.0.1" python="{slow}" {seconds}/>')
    daemon = start()
    daemon.until(began.exists, "a poll that is under way")
    stop(daemon.process.pid)
    ends = time.monotonic() + STANDSTILL
    while time.monotonic() < ends:
        time.sleep(0.1)
    resumed_ms = now_ms()
    os.kill(daemon.process.pid, signal.SIGCONT)
    daemon.until_polled(2)
    assert daemon.end() == 0
    polls = site.rows("SELECT outcome, at_ms FROM poll ORDER BY at_ms")
    assert {outcome for outcome, _ in polls} <= {"ok", "partial"}, polls
    # The one that was under way, or the same once more; then one at an instant of the host, half an interval away.
    (_, first_ms), (_, next_ms) = polls[:2]
    assert next_ms - max(first_ms, resumed_ms) >= 1000 * (INTERVAL / 2 - 0.5), (resumed_ms, polls)
    assert overlaps(site) == 0

"""The centre's own clock steps, or the poller is stopped and goes on later."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any, Final

from faults.experiment import Experiment
from faults.hosts import standing_in
from faults.lab import Lab
from faults.site import LabSite
from tests.notify.servers import text_of
from tests.stopped import stop

GOOD: Final = ("ok", "partial")
LIBRARY: Final = "libfaketimeMT.so.1"
HOUR, YEAR = 3600, 31_557_600
_FOLDERS: Final = ("/usr/lib", "/usr/local/lib", "/usr/lib64")


def steps(lab: Lab) -> str:
    """Rounds with the clock right, an hour back, an hour ahead, ten years ahead, right again; one steps in a round."""
    inbox = lab.mail()
    limits = '<thresholds name="test"><threshold metric="uptime.seconds" above="0" severity="low"/></thresholds>'
    hosts = '<host name="web" address="127.0.0.1" thresholds="test" notify="ops"/>'
    site = lab.site(hosts + standing_in(lab, "slow", 'sleep 0.7; exec $PYTHON "$@"'), inbox=inbox, more=limits)
    offset = lab.tmp / "offset"
    site.extra_environment = {
        "LD_PRELOAD": _library(), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    longest = 0.0
    moves = lab.size(short=(0, -HOUR, 10 * YEAR, 0), full=(0, -HOUR, HOUR, 0, 10 * YEAR, -HOUR, 0))
    for number, seconds in enumerate(moves, 1):
        _set(offset, seconds)
        began = time.monotonic()
        found = site.round()
        longest = max(longest, time.monotonic() - began)
        assert all(found[name]["outcome"] in GOOD for name in ("web", "slow")), f"at {seconds:+} s"
        _once(site, number)
    longest = max(longest, _in_a_round(site, offset))
    _once(site, len(moves) + 1)
    ((alerts, open_),) = site.rows("SELECT count(*), sum(closed_ms IS NULL) FROM alert WHERE metric = 'uptime.seconds'")
    assert (alerts, open_) == (1, 1), f"{alerts} alerts of one condition that never ended, {open_} open"
    opened = [mail for mail in inbox.mail.messages if "uptime.seconds" in text_of(mail)]
    assert len(opened) == 1, f"{len(opened)} mails of one alert"
    site.extra_environment = {}
    return f"{len(moves) + 1} rounds, 1 poll of each host in each, 1 alert and 1 mail; the longest {longest:.2f} s"


def _in_a_round(site: LabSite, offset: Path) -> float:
    """The clock goes back an hour and then ten years ahead while hosts are polled. Seconds by the monotonic clock."""
    _set(offset, 0)
    began = time.monotonic()
    with site.running("run", "-q") as process:
        for seconds in (-HOUR, 10 * YEAR, 0):
            _wait(0.25)
            _set(offset, seconds)
        assert process.wait(30) == 0
    return time.monotonic() - began


def _once(site: LabSite, rounds: int) -> None:
    """V1 without a gap: so many polls of each host, no matter what the clock said."""
    counts = dict(site.rows("SELECT host.name, count(*) FROM poll JOIN host ON host.id = host_id GROUP BY host.name"))
    assert counts == {"web": rounds, "slow": rounds}, f"{counts} polls are stored after {rounds} rounds"


def _set(offset: Path, seconds: int) -> None:
    new = offset.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    new.rename(offset)


def _wait(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)


def _library() -> str:
    for folder in _FOLDERS:
        for path in (*Path(folder).glob(f"faketime/{LIBRARY}"), *Path(folder).glob(f"*/faketime/{LIBRARY}")):
            return str(path)
    raise AssertionError("libfaketime is not installed: `make system-packages`")


def suspended(lab: Lab) -> str:
    """SIGSTOP while hosts are polled, SIGCONT later than every deadline."""
    away, deadline = lab.size(short=4.0, full=60.0), lab.size(short=3, full=8)
    count = lab.size(short=4, full=20)
    slow = standing_in(lab, "slow", 'sleep 1; exec $PYTHON "$@"')
    site = lab.site(slow + "".join(f'<host name="h{n}" address="127.0.0.1"/>' for n in range(count)),
                    deadline=f"{deadline}s")  # fmt: skip
    with site.running("run", "--json") as process:
        while not site.sshd.log().count("Accepted publickey"):
            assert process.poll() is None
            time.sleep(0.02)
        stop(process.pid)
        _wait(away)
        os.kill(process.pid, signal.SIGCONT)
        resumed = time.monotonic()
        assert process.wait(30) == 0
        took = time.monotonic() - resumed
    assert took <= deadline + 2, f"the round took {took:.2f} s more after it was let go on"
    found: dict[str, Any] = json.loads(site.said[-1])
    outcomes = [host["outcome"] for host in found["hosts"]]
    assert len(outcomes) == count + 1, f"{len(outcomes)} polls of {count + 1} hosts"
    after = site.round()
    ((polls, most),) = site.rows(
        "SELECT sum(n), max(n) FROM (SELECT count(*) AS n FROM poll GROUP BY host_id, round_id)"
    )
    assert (polls, most) == (2 * (count + 1), 1), f"{polls} polls, at most {most} of a host in a round"
    assert all(host["outcome"] in GOOD for name, host in after.items() if name), "not all answer afterwards"
    assert site.rows("SELECT count(*) FROM alert WHERE metric = 'host.down'") == [(0,)]
    good = sum(one in GOOD for one in outcomes)
    return (
        f"stopped {away:g} s: {good} of {count + 1} answer, ended {took:.2f} s after SIGCONT; 1 poll each, then all ok"
    )


EXPERIMENTS: Final = (
    Experiment("T1", "the centre's clock steps by -1 h, +1 h, +10 years, between rounds and within one",
               "one poll of each host in each round; an alert neither flaps nor is told again", steps),
    Experiment("T2", "the poller is stopped in the middle of a round", "ends soon after it goes on; one poll of each "
               "host, not a storm", suspended),
)  # fmt: skip

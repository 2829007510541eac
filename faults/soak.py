"""K5: rounds back to back for as long as the run allows, over SSH, with hosts that fail in every way."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from faults.apart import apart
from faults.footprint import own
from faults.lab import MIB, Lab
from poller.app import Selection, run_round
from poller.config import load
from poller.schedule import Stop
from tests.ssh import hostile

# Rounds before what a process keeps for good is there.
WARM = 3


def rounds(config: str, folder: str, seconds: str) -> list[tuple[float, int, int, int, int]]:
    """Seconds, resident bytes, threads and descriptors after each round, and how many of its polls were ok."""
    loaded = load(Path(config), {"HOME": folder})
    begun = time.monotonic()
    found: list[tuple[float, int, int, int, int]] = []
    while len(found) < WARM + 2 or time.monotonic() - begun < float(seconds):
        result = run_round(loaded, Selection(), stop=Stop())
        gc.collect()
        now = own()
        found.append((time.monotonic() - begun, now.bytes, now.threads, now.descriptors, result.outcomes["ok"]))
    return found


def soaked(lab: Lab) -> str:
    good = lab.size(short=4, full=16)
    bad = (hostile.floods_banner, hostile.closes_at_once, hostile.never_speaks)
    ports = [lab.raw(behaviour).port for behaviour in lab.size(short=bad[1:2], full=bad)]
    failing = [*ports, *lab.size(short=[], full=[1])]
    hosts = "".join(f'<host name="good{number}" address="127.0.0.1"/>' for number in range(good))
    hosts += "".join(f'<host name="bad{port}" address="127.0.0.1" port="{port}" deadline="2s"/>' for port in failing)
    site = lab.site(hosts)
    limit = lab.size(short=2.0, full=600.0)
    found = apart(rounds, str(site.config), str(site.folder), str(limit), seconds=limit + 120)
    assert {one[4] for one in found} == {good}, "a healthy host failed"
    warm = found[WARM - 1 if lab.short else len(found) // 5]
    last = found[-1]
    steady = found[len(found) // 2 :] if not lab.short else found[WARM:]
    slope = _slope([(one[0], one[1]) for one in steady]) * 3600 / MIB
    grown = (last[1] - warm[1]) / MIB
    threads, fds = max(one[2] for one in steady) - warm[2], max(one[3] for one in steady) - warm[3]
    assert grown < lab.size(short=6, full=4), f"{grown:.1f} MiB more in {last[0] - warm[0]:.0f} s, {slope:.1f} MiB/h"
    assert threads <= 2 and fds <= 5, f"{threads} threads and {fds} descriptors more"
    rate = "" if lab.short else f" ({slope:+.1f} MiB/h in the second half)"
    return (
        f"{len(found)} rounds of {good + len(failing)} hosts in {last[0]:.0f} s, {len(failing)} failing: "
        f"{grown:+.1f} MiB{rate}, {threads:+d} threads, {fds:+d} descriptors"
    )


def _slope(points: list[tuple[float, int]]) -> float:
    """Of the line of least squares, per second."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    width = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / width if width else 0.0

"""CPU of a cold poll beside bare paramiko, Ansible's `setup` and `pyinfra exec` (benchmarks/peers.py says how).

A side's figure is what one more host costs it: CPU of a run over many hosts minus CPU of a run over few, divided by
the difference, so that start-up counts for nobody. Between two polls of a host lie more than two seconds, so each
poll has rates to compute, as in daily use. All rows but one are about the sections of numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.fleet import HOSTS, Fleet
from benchmarks.measure import Row, cost, spread
from benchmarks.peers import ROOT, Peers


def rows(fleet: Fleet, peers: Peers, runs: int) -> Iterator[Row]:
    """Each run measures all sides one after the other, so that a slow minute is slow for all of them."""
    poller: list[float] = []
    everything: list[float] = []
    bare: list[float] = []
    ansible: list[float] = []
    pyinfra: list[float] = []
    for whole in (False, True):  # the first polls of a host write its inventories
        _per_host(partial(_poller, fleet, everything=whole))
    for _ in range(runs):
        bare.append(_per_host(peers.bare))
        poller.append(_per_host(partial(_poller, fleet)))
        everything.append(_per_host(partial(_poller, fleet, everything=True)))
        pyinfra.append(_per_host(peers.pyinfra, few=2, many=HOSTS))
        ansible.append(_per_host(peers.ansible, few=2, many=12))
    yield _row("a cold poll beside bare paramiko connect + exec true", poller, bare, 2.0)
    yield _row("a cold poll of all sections beside bare paramiko connect + exec true", everything, bare, 6.0)
    yield _row("a cold poll beside Ansible setup with pipelining", poller, ansible, 1 / 15)
    yield _row("a cold poll beside pyinfra exec -- uptime", poller, pyinfra, 1.0)


def _row(claim: str, ours: list[float], theirs: list[float], target: float) -> Row:
    figures = f"CPU ms per host: {spread(ours, 1000)} beside {spread(theirs, 1000)}"
    return Row(claim, figures, tuple(a / b for a, b in zip(ours, theirs, strict=True)), target)


def _per_host(cpu: Callable[[int], float], *, few: int = 1, many: int = HOSTS) -> float:
    """Seconds of CPU that one more host costs."""
    return (cpu(many) - cpu(few)) / (many - few)


def _poller(fleet: Fleet, count: int, *, everything: bool = False) -> float:
    before = fleet.logins()
    spent = cost(
        fleet.poller(count, "--strict", everything=everything), folder=ROOT, environment=fleet.environment()
    ).cpu
    if fleet.logins() - before != count:
        raise RuntimeError(f"the poller reached {fleet.logins() - before} of {count} hosts")
    time.sleep(2.2)  # two polls of a host must be two seconds apart for rates
    return spent

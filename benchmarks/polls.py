"""CPU of a cold poll beside bare paramiko, Ansible's `setup` and `pyinfra exec` (benchmarks/peers.py says how).

A side's figure is what one more host costs it: CPU of a run over many hosts minus CPU of a run over few, divided by
the difference, so that start-up counts for nobody. Between two polls of a host lie more than two seconds, so each
poll has rates to compute, as in daily use. All rows but one are about the sections of numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks.fleet import HOSTS, Fleet
from benchmarks.measure import Cost, Missing, Rows, cost, ratios
from benchmarks.peers import CHECK_BY_SSH, ROOT, Peers

_WHAT = "CPU ms per host"


def rows(fleet: Fleet, peers: Peers, runs: int, many: int = HOSTS) -> Rows:
    """Each run measures all sides one after the other, so that a slow minute is slow for all of them."""
    poller: list[float] = []
    everything: list[float] = []
    bare: list[float] = []
    ansible: list[float] = []
    pyinfra: list[float] = []
    peers.prove(peers.bare, peers.ansible, peers.pyinfra)
    for whole in (False, True):  # the first polls of a host write its inventories
        per_host(partial(cold, fleet, everything=whole), many=many)
    for _ in range(runs):
        bare.append(per_host(peers.bare, many=many))
        poller.append(per_host(partial(cold, fleet), many=many))
        everything.append(per_host(partial(cold, fleet, everything=True), many=many))
        pyinfra.append(per_host(peers.pyinfra, few=2, many=many))
        ansible.append(per_host(peers.ansible, few=2, many=12))
    yield ratios("a cold poll beside bare paramiko connect + exec true", poller, bare, 2.0, _WHAT)
    yield ratios("a cold poll of all sections beside bare paramiko connect + exec true", everything, bare, 6.0, _WHAT)
    yield ratios("a cold poll beside Ansible setup with pipelining", poller, ansible, 1 / 15, _WHAT)
    yield ratios("a cold poll beside pyinfra exec -- uptime", poller, pyinfra, 1.0, _WHAT)


def others(fleet: Fleet, peers: Peers, runs: int, many: int = HOSTS) -> Rows:
    """The same beside clients that gather nothing: no claims, so that one knows where the poller stands."""
    sides = [peers.asyncssh, peers.parallel_ssh, peers.openssh, peers.mitogen]
    if CHECK_BY_SSH.exists():
        sides.append(peers.check_by_ssh)
    else:
        yield Missing("a cold poll beside check_by_ssh -C true", "monitoring-plugins-basic is not installed")
    peers.prove(*sides)
    per_host(partial(cold, fleet), many=many)
    poller: list[float] = []
    spent: dict[str, list[float]] = {side.__name__: [] for side in sides}
    for _ in range(runs):
        poller.append(per_host(partial(cold, fleet), many=many))
        for side in sides:
            spent[side.__name__].append(per_host(side, few=2, many=many))
    for name, theirs in spent.items():
        yield ratios(f"a cold poll beside {_WORDS[name]}", poller, theirs, None, _WHAT)


_WORDS = {
    "asyncssh": "asyncssh connect + run true",
    "parallel_ssh": "parallel-ssh running true",
    "openssh": "OpenSSH's ssh HOST true",
    "mitogen": "mitogen ssh + one call",
    "check_by_ssh": "check_by_ssh -C true",
}


def per_host(spent: Callable[[int], Cost], *, few: int = 1, many: int = HOSTS) -> float:
    """Seconds of CPU that one more host costs."""
    return (spent(many).cpu - spent(few).cpu) / (many - few)


def cold(fleet: Fleet, count: int, *, everything: bool = False, at_once: int | None = None) -> Cost:
    """One `poller run` over so many hosts. Then waits until the next poll of a host gives rates."""
    before = fleet.logins()
    words = fleet.poller(count, "--strict", everything=everything, **({"at_once": at_once} if at_once else {}))
    spent = cost(words, folder=ROOT, environment=fleet.environment())
    if fleet.logins() - before != count:
        raise RuntimeError(f"the poller reached {fleet.logins() - before} of {count} hosts")
    time.sleep(2.2)  # two polls of a host must be two seconds apart for rates
    return spent

"""How long a cold round over 200 hosts takes, by the wall clock, beside parallel-ssh and Ansible's `setup`.

Every host has an address of its own on loopback, all are the same sshd, and each side works on as many at once. The
poller gathers numbers, and stores and judges them; parallel-ssh runs `true`. Start-up counts: this is what a person,
or cron, waits for. The sshd and what runs behind it share the machine with the side that is measured; a session begins
without the ordinary machine of the other rows, which would take as long again for everybody and so hide the difference.

On one machine 200 probes have to share its cores, which 200 machines would not: what that alone takes says the row in
which parallel-ssh runs the same probe, and throws its answers away.
"""

from __future__ import annotations

from benchmarks.fleet import Fleet
from benchmarks.measure import Rows, ratios
from benchmarks.peers import Peers
from benchmarks.polls import cold

HOSTS = 200
AT_ONCE = 25


def rows(fleet: Fleet, peers: Peers, runs: int, hosts: int = HOSTS) -> Rows:
    """Each run measures all sides one after the other, so that a slow minute is slow for all of them."""
    poller: list[float] = []
    parallel: list[float] = []
    probes: list[float] = []
    ansible: list[float] = []
    peers.prove(peers.parallel_ssh, peers.ansible)
    cold(fleet, hosts, at_once=AT_ONCE)  # the first polls of a host write its inventories
    for _ in range(runs):
        parallel.append(peers.parallel_ssh(hosts, at_once=AT_ONCE).wall)
        probes.append(peers.parallel_probe(hosts, at_once=AT_ONCE).wall)
        poller.append(cold(fleet, hosts, at_once=AT_ONCE).wall)
        ansible.append(peers.ansible(hosts, at_once=AT_ONCE).wall)
    claim = f"a cold round of {hosts} hosts, sections of numbers, beside"
    yield ratios(f"{claim} parallel-ssh running true", poller, parallel, 1.3, "wall ms")
    yield ratios(f"{claim} parallel-ssh running the same probe", poller, probes, None, "wall ms")
    yield ratios(f"{claim} Ansible setup with pipelining", poller, ansible, 1 / 8, "wall ms")

"""Networks that lose a host: a link goes down, an address swallows everything, a resolver lies or is silent."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

from faults.experiment import Experiment
from faults.hosts import in_time, outcome
from faults.lab import PYTHON, Lab
from faults.lateness import lateness
from faults.namespace import Namespace, end, namespace, started
from tests.end_to_end.site import ROOT

NEAR, FAR, NOBODY = "10.77.0.1", "10.77.0.2", "10.77.0.9"
GOOD: Final = ("ok", "partial")


def _cable(lab: Lab) -> tuple[Namespace, Namespace]:
    """Two networks with a cable between them: the poller's, and that of a host."""
    near, far = lab.enter(namespace("net")), lab.enter(namespace("net"))
    near.sh(f"ip link set lo up; ip link add near type veth peer name far netns {far.pid}; ip link set near up; "
            f"ip addr add {NEAR}/24 dev near")  # fmt: skip
    far.sh(f"ip link set lo up; ip link set far up; ip addr add {FAR}/24 dev far")
    return near, far


def half_open(lab: Lab) -> str:
    """The link goes down when every poll has logged in and its command runs."""
    near, far = _cable(lab)
    count, seconds = lab.size(short=10, full=100), lab.size(short=3, full=15)
    server = lab.sshd(addresses=[FAR], within=far.enter)
    there = lab.folder("there")
    script = lab.tmp / "waits"
    script.write_text(f"#!/bin/sh\n: >'{there}'/$$\nexec sleep 60\n")
    script.chmod(0o755)
    hosts = "".join(f'<host name="h{n}" address="{FAR}" python="{script}"/>' for n in range(count))
    site = lab.site(hosts, server, deadline=f"{seconds}s")
    site.prefix = near.enter
    cut = f"{' '.join(far.enter)} ip link set far down"
    wait = f"until [ $(ls '{there}' | wc -l) -ge {count} ]; do sleep 0.05; done"
    cutting = started(["sh", "-c", f"echo ready; {wait}; exec {cut}"])
    lab.ends(lambda: end(cutting))
    lab.ends(lambda: _wake(there))
    found, made = site.measured_round()
    assert len(list(there.iterdir())) == count, "not every poll came as far as its command"
    took = in_time(found, [f"h{n}" for n in range(count)], ["probe/timeout", "probe/closed"], seconds)
    assert made.threads <= 3, f"V5: {made.threads} threads are left after {count} polls"
    return f"{count} polls, the slowest {took:.2f} s of {seconds}, {made.threads} threads left in the process"


def _wake(there: Path) -> None:
    """Ends the commands that wait behind the cut, each by the number it left."""
    for path in there.iterdir():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{path.name}/cmdline").read_bytes().startswith(b"sleep"):
                os.kill(int(path.name), signal.SIGKILL)


def black_hole(lab: Lab) -> str:
    """An address whose neighbour entry leads to nobody: nothing that is sent there ever gets an answer."""
    near, far = _cable(lab)
    count, seconds = lab.size(short=5, full=40), lab.size(short=3, full=6)
    near.sh(f"ip neigh add {NOBODY} lladdr 02:00:00:00:00:09 dev near nud permanent")
    server = lab.sshd(addresses=[FAR], within=far.enter)
    names = [f"lost{n}" for n in range(count)]
    hosts = "".join(f'<host name="{name}" address="{NOBODY}" deadline="{seconds}s"/>' for name in names)
    site = lab.site(hosts + f'<host name="web" address="{FAR}"/>', server)
    site.prefix = near.enter
    found = site.round()
    took = in_time(found, names, ["connect/timeout"], seconds)
    assert outcome(found["web"]) in GOOD, outcome(found["web"])
    late = lateness(site, set(names)).started
    assert late <= 1, f"V4: {late:.2f} s"
    return f"{count} hosts: connect/timeout within {took:.2f} s of {seconds}; the other one began {late:.3f} s late"


def names(lab: Lab) -> str:
    """Every way of a resolver to fail, and the ways of the poller around it."""
    space = lab.enter(namespace("net", "mount"))
    conf = lab.folder("dns") / "resolv.conf"
    conf.write_text("nameserver 127.0.0.1\n")
    space.sh(
        "ip link set lo up; ip link add hole type veth peer name other; ip link set hole up; ip link set other up; "
        "ip -6 addr add fd00::1/64 dev hole nodad; ip -6 neigh add fd00::9 lladdr 02:00:00:00:00:09 dev hole; "
        f"mount --bind '{conf}' /etc/resolv.conf"
    )
    resolver = started([*space.enter, "env", f"PYTHONPATH={ROOT}", PYTHON, "-m", "faults.resolver"])
    lab.ends(lambda: end(resolver))
    server = lab.sshd(addresses=["127.0.0.1", "127.0.0.2"], within=space.enter)
    wanted = ["web", "nx", "fail", "moves", "flaky", "six", "both", "hole"]
    seconds = lab.size(short=3, full=8)
    voids = [f"void{n}" for n in range(lab.size(short=5, full=80))]
    hosts = "".join(f'<host name="{name}" address="{name}.example.org"/>' for name in (*wanted, *voids))
    with server.known_hosts.open("a") as file:
        file.write(server.known_line(name="*.example.org"))
    site = lab.site(hosts + '<host name="plain" address="127.0.0.1"/>', server, deadline=f"{seconds}s")
    site.prefix = space.enter
    first = site.round()
    second = site.round()
    expected: dict[str, tuple[str, ...]] = {
        "web": GOOD, "moves": GOOD, "both": GOOD, "hole": GOOD, "plain": GOOD, "flaky": GOOD,
        "nx": ("dns/unknown",), "fail": ("dns/timeout", "dns/unknown"),
        "six": ("connect/unreachable", "connect/timeout"),
    }  # fmt: skip
    for found in (first, second):
        wrong = {name: outcome(found[name]) for name in expected if outcome(found[name]) not in expected[name]}
        assert not wrong, f"expected otherwise: {wrong}"
        slowest = in_time(found, voids, ["dns/timeout", "connect/timeout"], seconds)
        in_time(found, [*expected], [one for many in expected.values() for one in many], seconds)
    asked = "SELECT DISTINCT poll.address FROM poll JOIN host ON host.id = host_id WHERE host.name = 'moves'"
    moved = {address for (address,) in site.rows(asked)}
    assert moved == {"127.0.0.1", "127.0.0.2"}, f"the answer changed, but {moved} was asked"
    late = lateness(site, {*voids, "nx", "fail", "six"}).started
    assert late <= 1, f"V4: {late:.2f} s"
    return (
        f"{len(voids)} silent: dns/timeout within {slowest:.2f} s of {seconds}; next address after an unreachable and "
        f"a silent one ({second['hole']['seconds']:.2f} s); last good address; the others began {late:.3f} s late"
    )


EXPERIMENTS: Final = (
    Experiment("H10", "the network drops when everybody has logged in", "each ends by its deadline; no thread is left",
               half_open),
    Experiment("H-blackhole", "addresses that swallow everything", "connect/timeout by the deadline; others on time",
               black_hole),
    Experiment("H22", "resolver: no such name, failure, silence, changed answer, unreachable IPv6",
               "named and in time; the next address and the last good one are used", names),
)  # fmt: skip

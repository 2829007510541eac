"""Servers that hang, flood or lie: each costs its own poll no more than its deadline, and nobody else anything."""

from __future__ import annotations

import itertools
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from faults.experiment import Experiment
from faults.footprint import Footprint
from faults.lab import MIB, Lab
from faults.lateness import lateness, undisturbed
from faults.site import LabSite
from tests.end_to_end.site import ROOT
from tests.end_to_end.sshd import Sshd
from tests.ssh import hostile
from tests.ssh.hostile import Behaviour, Trouble

# What one hostile host may cost the whole process (and a report that was announced may be 8 MiB).
GROWTH: Final = 32 * MIB
GRACE: Final = 1.0
# sshd listens on sixteen addresses at most.
SPREAD: Final = 16


def element(server: hostile.Server, name: str, sshd: Sshd) -> str:
    """The <host> for a hostile server, whose key is put on record."""
    if server.key is not None:
        with sshd.known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{server.port} {server.key.get_name()} {server.key.get_base64()}\n")
    return f'<host name="{name}" address="127.0.0.1" port="{server.port}"/>'


def healthy(count: int) -> str:
    """Names spread over the addresses of `spread_sshd`, so that they do not queue for the logins at one."""
    return "".join(f'<host name="web{n}" address="127.0.1.{1 + n % SPREAD}"/>' for n in range(count))


def spread_sshd(lab: Lab, *options: str) -> Sshd:
    return lab.sshd(*options, addresses=[f"127.0.1.{1 + n}" for n in range(SPREAD)])


class Compared:
    """A site's rounds without the fault and with it."""

    def __init__(self, lab: Lab, count: int, seconds: int) -> None:
        self.lab, self.count, self.seconds = lab, count, seconds
        self.sshd = spread_sshd(lab)
        self.calm = lab.site(healthy(count), self.sshd, deadline=f"{seconds}s", name="calm")
        self.peak_bytes = self.calm.measured_round()[1].peak_bytes

    def rounds(self, hosts: str, rounds: int) -> tuple[LabSite, list[dict[str, Any]], list[Footprint]]:
        site = self.lab.site(healthy(self.count) + hosts, self.sshd, deadline=f"{self.seconds}s", name="faulty")
        taken = []
        for number in range(rounds):
            taken.append(site.measured_round())
            if number % 4 == 3:  # what else the machine does may change: both are seen at the same times
                _, made = self.calm.measured_round()
                self.peak_bytes = max(self.peak_bytes, made.peak_bytes)
        return site, [found for found, _ in taken], [made for _, made in taken]

    def growth(self, made: Sequence[Footprint]) -> int:
        """Bytes that the poller needed more than without the fault. AssertionError when too many, or threads stay."""
        more = max(0, max(one.peak_bytes for one in made) - self.peak_bytes)
        assert more < GROWTH, f"{more / MIB:.1f} MB more memory"
        assert all(one.children == 0 for one in made), "V5: a process is left"
        return more


def outcome(host: dict[str, Any]) -> str:
    return f"{host['stage']}/{host['code']}" if host["stage"] else str(host["outcome"])


def in_time(found: dict[str, Any], names: Sequence[str], expected: Sequence[str], seconds: float) -> float:
    """Each of these hosts failed so (one of `expected`), and not later than a second after its deadline."""
    for name in names:
        assert outcome(found[name]) in expected, f"{name}: {outcome(found[name])}, not {' or '.join(expected)}"
        took = found[name]["seconds"]
        assert took <= seconds + GRACE, f"{name} took {took:.2f} s of {seconds}"
    return max(float(found[name]["seconds"]) for name in names)


def drips(pause: float) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        for byte in itertools.cycle(b"SSH"):
            connection.sendall(bytes([byte]))
            if over.wait(pause):
                return

    return behave


def lines(pause: float, count: int = 99) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        for _ in range(count):
            connection.sendall(b"please wait\r\n")
            if over.wait(pause):
                return
        over.wait(60)

    return behave


def _before_login(lab: Lab, behaviour: Behaviour, expected: str, *, hosts: int = 49, rounds: int = 20) -> str:
    """One host among many, round after round."""
    seconds = lab.size(short=3, full=6)
    count, rounds = lab.size(short=3, full=hosts), lab.size(short=1, full=rounds)
    compared = Compared(lab, count, seconds)
    server = lab.raw(behaviour)
    site, found, made = compared.rounds(element(server, "hostile", compared.sshd), rounds)
    took = max(in_time(one, ["hostile"], [expected], seconds) for one in found)
    growth = compared.growth(made)
    others = undisturbed(lateness(site, {"hostile"}), lateness(compared.calm))
    return f"{expected} after {took:.2f} s of {seconds}, {growth / MIB:.1f} MB more; {others}"


def silent(lab: Lab) -> str:
    return _before_login(lab, hostile.never_speaks, "handshake/timeout")


def slow_banner(lab: Lab) -> str:
    return _before_login(lab, drips(lab.size(short=0.2, full=5.0)), "handshake/timeout")


def banner_flood(lab: Lab) -> str:
    return _before_login(lab, hostile.floods_banner, "handshake/oversize", rounds=3)


def many_lines(lab: Lab) -> str:
    return _before_login(lab, lines(lab.size(short=0.3, full=1.9)), "handshake/timeout", hosts=5, rounds=1)


def hangs_later(lab: Lab) -> str:
    """All at once: a host that hangs in the key exchange, at the login, and when a command is asked for."""
    seconds = lab.size(short=3, full=6)
    compared = Compared(lab, 1, seconds)
    servers = {
        "kex": lab.raw(hostile.hangs_in_key_exchange),
        "auth": lab.speaking(Trouble("auth")),
        "channel": lab.speaking(Trouble("channel")),
    }
    elements = "".join(element(server, name, compared.sshd) for name, server in servers.items())
    _, (found,), made = compared.rounds(elements, 1)
    in_time(found, ["kex"], ["handshake/timeout"], seconds)
    in_time(found, ["auth"], ["auth/timeout"], seconds)
    in_time(found, ["channel"], ["session/timeout"], seconds)
    took = ", ".join(f"{name} {found[name]['seconds']:.2f} s" for name in servers)
    return f"{took} of {seconds}, {compared.growth(made) / MIB:.1f} MB more"


def standing_in(lab: Lab, name: str, script: str) -> str:
    """The <host> at the default server where this shell script stands for python3; the real one is $PYTHON."""
    path = lab.tmp / name
    path.write_text(f"#!/bin/sh\nPYTHON={Path('/usr/bin/python3')}\n{script}\n")
    path.chmod(0o755)
    return f'<host name="{name}" address="127.0.0.1" python="{path}"/>'


def _floods(lab: Lab, scripts: dict[str, str], expected: dict[str, Sequence[str]]) -> str:
    seconds = lab.size(short=6, full=10)
    sshd = lab.sshd()
    calm = lab.site('<host name="web" address="127.0.0.1"/>', sshd, deadline=f"{seconds}s", name="calm")
    _, before = calm.measured_round()
    figures = []
    for name, script in scripts.items():
        site = lab.site(standing_in(lab, name, script), sshd, deadline=f"{seconds}s", name=f"site-{name}")
        found, made = site.measured_round()
        took = in_time(found, [name], expected[name], seconds)
        more = max(0, made.peak_bytes - before.peak_bytes)
        assert more < GROWTH + 8 * MIB, f"{name}: {more / MIB:.1f} MB more memory"
        figures.append(f"{name}: {outcome(found[name])} after {took:.2f} s, {more / MIB:.1f} MB more")
    return "; ".join(figures)


def stdout_flood(lab: Lab) -> str:
    giant = f"MEDDLE=oversized PYTHONPATH={ROOT} exec {sys.executable} -m tests.end_to_end.meddler"
    return _floods(
        lab,
        {"yes": "exec yes", "giant-frame": giant},
        {"yes": ["probe/noise", "probe/oversize"], "giant-frame": ["probe/oversize"]},
    )


def stderr_flood(lab: Lab) -> str:
    ten = "head -c 10000000 /dev/zero"
    return _floods(
        lab,
        {
            "endless": "exec yes >&2",
            "ten-on-both": f'{ten} >&2 & {ten}; wait; exec $PYTHON "$@"',
            "ten-on-stderr": f'{ten} >&2; exec $PYTHON "$@"',
        },
        {"endless": ["probe/noise"], "ten-on-both": ["probe/noise"], "ten-on-stderr": ["ok", "partial"]},
    )


def ignores_window(lab: Lab) -> str:
    """One poll each of a server that sends unasked, announces 4 GB, or never stops with SSH's own IGNORE."""
    seconds = lab.size(short=4, full=10)
    compared = Compared(lab, 2, seconds)
    actions = {"window": hostile.ignores_window, "giant": hostile.announces_giant, "ignore": hostile.sends_ignore}
    servers = {name: lab.speaking(Trouble(action=action)) for name, action in actions.items()}
    elements = "".join(element(server, name, compared.sshd) for name, server in servers.items())
    site, (found,), made = compared.rounds(elements, 1)
    took = in_time(found, list(servers), ["probe/oversize", "probe/noise"], seconds)
    others = undisturbed(lateness(site, set(servers)), lateness(compared.calm))
    return f"all three ended by their bytes within {took:.2f} s, {compared.growth(made) / MIB:.1f} MB more; {others}"


EXPERIMENTS: Final = (
    Experiment("H1", "a host accepts TCP and never speaks", "fails by its deadline; the others are on time", silent),
    Experiment("H2", "a banner that comes byte by byte", "the same", slow_banner),
    Experiment("H3", "a flood without a line's end instead of a banner", "ends by its bytes, under 32 MB more memory",
               banner_flood),
    Experiment("H4", "99 lines before the banner, 1.9 s apart", "fails by its deadline", many_lines),
    Experiment("H5", "key exchange, login or channel hang", "each fails by its deadline, with the stage", hangs_later),
    Experiment("H7", "standard output without end, or a frame of 1 GB", "ends by its bytes, bounded memory",
               stdout_flood),
    Experiment("H8", "standard error without end, 10 MB on both, 10 MB beside a report",
               "no deadlock; a report beside 10 MB of errors is taken", stderr_flood),
    Experiment("H9", "a server ignores flow control, or announces a packet of 4 GB",
               "ends by its bytes; under 32 MB more memory; the others are on time", ignores_window),
)  # fmt: skip

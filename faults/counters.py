"""Counters and clocks of a host that jump: no rate is ever negative or absurd, and time is the centre's."""

from __future__ import annotations

import json
import shutil
import time
from typing import Any, Final

from faults.experiment import Experiment
from faults.lab import PYTHON, Lab
from faults.site import LabSite
from tests.end_to_end.site import ROOT

MACHINE: Final = ROOT / "tests" / "data" / "machines" / "debian-12"
DISK: Final = "sys/devices/pci0000:00/0000:00:05.0/virtio2/block/vda"
# More than any rate or share of that machine, whose counters move by a thousand a second.
GIANT: Final = 10.0**7
# What `wrapped` counts, by parts of names.
COUNTED: Final = ("eth0", "vda", "tcp.opens", "tcp.resets", "tcp.retransmits", "udp.")
RATES: Final = ("_per_second", "block.busy_percent", "cpu.percent", "cpu.user_percent")
YEAR: Final = 365.25 * 86400


class Files:
    """A machine as files, under `folder`; `host` is its <host> in config.xml."""

    def __init__(self, lab: Lab, name: str = "edited") -> None:
        self.folder = lab.folder("machine") / name
        shutil.copytree(MACHINE, self.folder, symlinks=True)  # they lead in circles, as in every /sys
        script = lab.folder("machine") / f"{name}.sh"
        script.write_text(f"#!/bin/sh\nPYTHONPATH={ROOT} exec {PYTHON} -m faults.rooted '{self.folder}'\n")
        script.chmod(0o755)
        self.host = f'<host name="{name}" address="127.0.0.1" python="{script}" thresholds="test"/>'
        self.boot(1)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def boot(self, number: int) -> None:
        self.write("proc/sys/kernel/random/boot_id", f"00000000-0000-4000-8000-{number:012d}\n")

    def at(self, uptime: float, offset: float = 0.0, step: float = 0.0) -> None:
        """So many seconds after its start, with its clock so far ahead of the centre's, and going back."""
        self.write("proc/uptime", f"{uptime:.2f} {uptime:.2f}\n")
        self.write("calls/clock", f"{time.time() + offset:.3f}\n")
        self.write("calls/step", f"{step}\n")
        ticks = int(uptime * 100)
        self.write("proc/stat", "".join(f"{core} {ticks // 4} 0 {ticks // 8} {ticks} 0 0 0 0 0 0\n"
                                        for core in ("cpu", "cpu0", "cpu1")) + "processes 1\n")  # fmt: skip
        self.sockets(int(uptime * 10))
        self.network(int(uptime * 1000))
        self.disk(int(uptime * 10))

    def network(self, count: int | None, name: str = "eth0") -> None:
        lines = ["Inter-|", " face |", f"    lo: {' '.join(['5'] * 16)}"]
        if count is not None:
            lines.append(f"  {name}: {' '.join([str(count)] * 16)}")
        self.write("proc/net/dev", "\n".join(lines) + "\n")

    def sockets(self, count: int | None) -> None:
        """What the kernel counts of connections; None: it does not tell."""
        if count is None:
            (self.folder / "proc/net/snmp").unlink(missing_ok=True)
            return
        names = "ActiveOpens PassiveOpens AttemptFails EstabResets RetransSegs"
        self.write("proc/net/snmp", f"Tcp: {names}\nTcp: {' '.join([str(count)] * 5)}\n"
                                    f"Udp: NoPorts InErrors\nUdp: {count} {count}\n")  # fmt: skip

    def disk(self, count: int | None) -> None:
        if count is None:
            shutil.rmtree(self.folder / DISK, ignore_errors=True)
            (self.folder / "sys/block/vda").unlink(missing_ok=True)
            return
        (self.folder / DISK).mkdir(parents=True, exist_ok=True)
        if not (self.folder / "sys/block/vda").is_symlink():
            (self.folder / "sys/block/vda").symlink_to(f"../../{DISK}")
        self.write("sys/block/vda/size", "41943040\n")
        self.write("sys/block/vda/hidden", "0\n")
        self.write("sys/block/vda/stat", " ".join([str(count)] * 17) + "\n")


def _site(lab: Lab, files: Files, thresholds: str = "") -> LabSite:
    return lab.site(files.host, more=f'<thresholds name="test">{thresholds}</thresholds>')


def _poll(site: LabSite, name: str = "edited") -> dict[str, float]:
    """The numbers of one poll. AssertionError when one is negative or absurd."""
    host: dict[str, Any] = site.round()[name]
    assert host["outcome"] in ("ok", "partial"), f"{host['stage']}/{host['code']}: {host['error']}"
    metrics: dict[str, float] = host["metrics"]
    for metric, value in metrics.items():
        if metric == "clock.offset_seconds":
            continue
        assert value >= 0, f"{metric} is {value}"
        assert value < GIANT or not any(part in metric for part in RATES), f"{metric} is {value}"
    return metrics


def rates(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if any(part in name for part in RATES)}


def rebooted(lab: Lab) -> str:
    files = Files(lab)
    site = _site(lab, files)
    files.at(1000)
    _poll(site)
    files.at(1060)
    before = rates(_poll(site))
    files.boot(2)
    files.at(30)
    during = rates(_poll(site))
    files.at(90)
    after = rates(_poll(site))
    ((events,),) = site.rows("SELECT count(*) FROM event WHERE kind = 'rebooted'")
    assert events == 1, f"{events} events"
    assert not during, f"rates across a boot: {sorted(during)[:3]}"
    assert set(after) == set(before) and len(after) > 10, f"{len(before)} rates before, {len(after)} after"
    return (
        f"{len(before)} rates before, {len(during)} at the first poll after, {len(after)} at the second; {events} event"
    )


def wrapped(lab: Lab) -> str:
    """At 2^32 and at 2^64 (a disk, whose bytes would be 2^73, at 2^50); then both are gone, and come back."""
    files = Files(lab)
    site = _site(lab, files)
    uptime, missing = 1000.0, {}

    def poll(network: int | None, disk: int | None) -> dict[str, float]:
        nonlocal uptime
        uptime += 60
        files.at(uptime)
        files.network(network)
        files.sockets(network)
        files.disk(disk)
        return {name: value for name, value in rates(_poll(site)).items() if any(part in name for part in COUNTED)}

    for bits in (32, 64):
        files.boot(bits)
        top = 1 << bits
        sectors = min(top, 1 << 50)
        poll(top - 6000, sectors - 6000)
        usual = poll(top - 3000, sectors - 3000)
        assert len(usual) >= 10, f"2^{bits}: only {sorted(usual)}"
        at_wrap = poll(1000, 1000)
        again = poll(4000, 4000)
        missing[f"2^{bits}"] = len(usual) - len(at_wrap)
        assert not at_wrap, f"2^{bits}: rates over a wrap: {at_wrap}"
        assert set(again) == set(usual), f"2^{bits}: rates did not resume"
    gone, back, then = poll(None, None), poll(9000, 9000), poll(12000, 12000)
    assert not gone and len(then) >= 10, f"gone {gone}, back {back}"
    assert all(value < 1000 for value in back.values()), back
    counts = ", ".join(f"{count} at {what}" for what, count in missing.items())
    return f"rates left out for one interval: {counts}; gone {len(gone)}, back {len(back)}, then {len(then)}"


def skewed(lab: Lab) -> str:
    """Ten years ahead, ten years behind, and a clock that goes back while it is read."""
    files = Files(lab)
    limits = (
        '<threshold metric="clock.offset_seconds" above="60"/><threshold metric="clock.offset_seconds" below="-60"/>'
    )
    site = _site(lab, files, limits)
    figures = []
    uptime = 1000.0
    for offset, step in ((10 * YEAR, 0.0), (-10 * YEAR, 0.0), (0.0, 3600.0), (0.0, 0.0)):
        files.at(uptime, offset, step)
        began = int(time.time() * 1000)
        seen = _poll(site)["clock.offset_seconds"]
        ((at,),) = site.rows("SELECT max(at_ms) FROM system_sample")
        assert began - 1000 <= at <= time.time() * 1000 + 1000, "stored at another time than the centre's"
        (host,) = _status(site)
        assert host["outcome"] in ("ok", "partial"), f"shown as {host['outcome']} with the clock {offset:+.0f} s off"
        expected = offset - step
        assert abs(seen - expected) < step + 5, f"{seen:.0f} s for {expected:+.0f} s"
        figures.append(f"{seen:+.0f} s")
        uptime += 60
    ((told,),) = site.rows("SELECT count(*) FROM alert WHERE metric = 'clock.offset_seconds'")
    assert told >= 1, "no alert tells of the clock"
    ((open_,),) = site.rows("SELECT count(*) FROM alert WHERE closed_ms IS NULL")
    assert open_ == 0, "the alert goes on although the clock is right"
    return f"offsets seen {', '.join(figures)}; stored at the centre's time; {told} alert(s) by a limit, closed"


def _status(site: LabSite) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.poller("status", "--json").stdout)["hosts"]
    return found


EXPERIMENTS: Final = (
    Experiment("H16", "a host boots between two polls", "no rate across the boot, one event, rates at the second poll",
               rebooted),
    Experiment("H17", "counters wrap at 2^32 and 2^64; an interface and a disk vanish and return",
               "rates are left out for one interval, never negative", wrapped),
    Experiment("H18", "a host's clock is ten years off, or goes back during the poll",
               "stored at the centre's time, never stale; a limit on clock.offset_seconds tells", skewed),
)  # fmt: skip

"""Reports for tests: values made from a few numbers, and the XML a probe would write for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from xml.sax.saxutils import quoteattr

from poller.model import (
    Address,
    BlockDevice,
    CpuTimes,
    FileSystem,
    Interface,
    LoadAverage,
    Memory,
    Poll,
    PollOutcome,
    Pressure,
    Processes,
    Reading,
    Report,
    Row,
    Section,
    SectionStatus,
    System,
)
from tests.probe.sealing import DIGEST

GIB = 1024**3
ELEMENTS: dict[type[Any], str] = {
    System: "system",
    CpuTimes: "cpu",
    Memory: "memory",
    LoadAverage: "load",
    FileSystem: "filesystem",
    BlockDevice: "disk",
    Interface: "interface",
    Address: "address",
    Processes: "processes",
    Pressure: "pressure",
}


@dataclass(frozen=True)
class Asked:
    """Whose report is expected."""

    host: str = "web1"
    probe: str = DIGEST


def cpu(core: str = "all", **times: float) -> CpuTimes:
    modes = {field.name: 0.0 for field in fields(CpuTimes) if field.name != "core"}
    return CpuTimes(core, **{**modes, **times})


def filesystem(mountpoint: str = "/", **changes: Any) -> FileSystem:
    root = FileSystem(mountpoint, "/dev/sda1", "ext4", "ok", 0, 100 * GIB, 40 * GIB, 55 * GIB, 1000, 750)
    return replace(root, **changes)


def disk(device: str = "sda", **changes: Any) -> BlockDevice:
    return replace(BlockDevice(device, "QEMU DISK", 100 * GIB, 1000, 4096000, 2.5, 500, 8192000, 4.0, 6.0), **changes)


def interface(name: str = "eth0", **changes: Any) -> Interface:
    card = Interface(name, "52:54:00:12:34:56", "up", 1500, 10**9, 5000, 50, 0, 1, 7000, 70, 0, 0)
    return replace(card, **changes)


def memory(**changes: Any) -> Memory:
    return replace(Memory(8 * GIB, 6 * GIB, GIB, 10, 20, 30, 40, 50, 2 * GIB, GIB, 4096, 8192), **changes)


def section(name: str, *rows: Row, status: SectionStatus = SectionStatus.OK, reason: str = "") -> Section:
    return Section(name, status, reason, 0.001, rows)


def reading(*sections: Section, uptime: float = 1000.0, boot_id: str = "boot-1", clock: float = 1.7e9) -> Reading:
    return Reading(clock, uptime, boot_id, sections)


def full(uptime: float = 1000.0, cores: int = 2, **counted: float) -> Reading:
    """A whole reading of a machine that has worked evenly since boot."""
    one = {"user": uptime * 0.25, "system": uptime * 0.125, "idle": uptime * 0.5, "iowait": uptime * 0.125}
    whole = int(uptime)
    return reading(
        section("system", System("web1", "Linux", "6.1.0", "x86_64", "debian", "12", "Debian 12", cores)),
        section(
            "cpu",
            cpu("all", **{mode: cores * seconds for mode, seconds in one.items()}),
            *(cpu(str(core), **one) for core in range(cores)),
        ),
        section("memory", memory(swapped_in=4096 * whole, swapped_out=8192 * whole)),
        section("load", LoadAverage(1.5, 1.25, 1.0)),
        section("filesystem", filesystem("/"), filesystem("/var", used=80 * GIB, available=20 * GIB)),
        section("block", disk(reads=10 * whole, read_seconds=0.25 * whole, writes=5 * whole, write_seconds=uptime / 2)),
        section(
            "network",
            interface(receive_bytes=1000 * whole),
            Address("eth0", "inet", "192.0.2.7", 24),
            Address("eth0", "inet6", "2001:db8::7", 64),
        ),
        section("processes", Processes(100, 2, 90, 1, 3, 0, 4)),
        section(
            "pressure",
            *(
                Pressure(resource, kind, uptime / 10)
                for resource in ("cpu", "memory", "io")
                for kind in ("some", "full")
            ),
        ),
        uptime=uptime,
        clock=1.7e9 + uptime,
    )


def report(*readings: Reading, host: str = "web1") -> Report:
    return Report(host, DIGEST, "3.11.2", 0.05, readings)


def poll(*readings: Reading, **changes: Any) -> Poll:
    """A poll that brought these readings; none makes a failed one."""
    outcome = PollOutcome.OK if readings else PollOutcome.FAILED
    came = Poll("id", "web1", 1_700_000_000_000, outcome, seconds=0.25, report=report(*readings) if readings else None)
    return replace(came, **changes)


def render(what: Report) -> bytes:
    """The XML of a report, one element per line."""
    head = {"version": "1", "host": what.host, "probe": what.probe, "python": what.python, "seconds": what.seconds}
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", _tag("report", head.items(), close=False)]
    for each in what.readings:
        attributes = {"clock": each.clock, "uptime": each.uptime, "boot_id": each.boot_id}
        lines.append(_tag("reading", attributes.items(), close=False))
        for part in each.sections:
            head = {"name": part.name, "status": part.status, "reason": part.reason, "seconds": part.seconds}
            lines.append(_tag("section", head.items(), close=False))
            lines += [_tag(ELEMENTS[type(row)], _attributes(row), close=True) for row in part.rows]
            lines.append("</section>")
        lines.append("</reading>")
    return "\n".join([*lines, "</report>"]).encode()


def _attributes(row: Row) -> list[tuple[str, Any]]:
    return [(field.name, getattr(row, field.name)) for field in fields(row)]


def _tag(name: str, attributes: Iterable[tuple[str, Any]], *, close: bool) -> str:
    inside = "".join(f" {key}={quoteattr(_text(value))}" for key, value in attributes)
    return f"<{name}{inside}{'/' if close else ''}>"


def _text(value: object) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)

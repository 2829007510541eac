"""Reports for tests: values made from a few numbers, and the XML a probe would write for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from xml.sax.saxutils import quoteattr

from poller.model import (
    NOBODY_KNOWN,
    Address,
    BlockDevice,
    Check,
    CpuTimes,
    Device,
    Fault,
    FileSystem,
    Flow,
    Interface,
    JournalEntry,
    KernelLog,
    KernelMessage,
    Listener,
    LoadAverage,
    Login,
    LoginRecord,
    LogSource,
    LogText,
    Memory,
    Mount,
    People,
    Poll,
    PollOutcome,
    Pressure,
    Process,
    ProcessCount,
    Processes,
    Protocols,
    RaidArray,
    Reading,
    Report,
    Row,
    Section,
    SectionStatus,
    Sensor,
    Series,
    Socket,
    SocketCount,
    System,
    TextFile,
    Traffic,
    Unit,
    UsbDevice,
)
from poller.probe.kinds import SECTIONS
from tests.probe.sealing import DIGEST

GIB = 1024**3
ELEMENTS: dict[type[Any], str] = {kind: element for rows in SECTIONS.values() for element, kind in rows.items()}


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
    """What is counted and measured on a machine that has worked evenly since boot: the sections without lists."""
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


def watched(uptime: float = 1000.0, cores: int = 2) -> Reading:
    """The same machine with every section there is, and a row of every kind."""
    counted = full(uptime, cores)
    return replace(counted, sections=(*counted.sections, *_things(), *_network(), *_activity(), *_logs()))


def _things() -> tuple[Section, ...]:
    stick = UsbDevice(
        "1-1.2", "0951", "1666", "Kingston", "DataTraveler", "60A4", "00", "08", "storage", 480_000_000, "sdb"
    )
    return (
        section("usb", replace(stick, port="usb1", kind="hub", serial=""), stick),
        section("devices", Device("disk", "sdb", "DataTraveler", "60A4", 16 * GIB, 1, "1-1.2")),
        section("mounts", Mount("/media/stick", "/dev/sdb1", "vfat", "/", "rw,nosuid", 1, 1, 0, 0, "sdb")),
        section("kernel", KernelLog("kmsg", "7", "9", 0), KernelMessage(1, 1.7e9, 6, "usb 1-1.2: new USB device")),
    )


def _network() -> tuple[Section, ...]:
    peer = ("192.0.2.7", 22, "198.51.100.4", 40000)
    return (
        section(
            "sockets",
            Listener("tcp", "192.0.2.7", 22, 0, "sshd"),
            Socket("tcp", *peer, "ESTABLISHED", 0, 0, 0, "sshd"),
            SocketCount("tcp", "ESTABLISHED", 1),
        ),
        section(
            "traffic",
            Protocols(9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
            Traffic("sock_diag", 0.0, 120, 480, 0, "", counted=1),
            Flow("tcp", *peer, 1, NOBODY_KNOWN, 5000, 700, "1f"),
        ),
    )


def _activity() -> tuple[Section, ...]:
    return (
        section("top", Process(7, "cron", 0, "root", "S", 1, 12.5, 3.5, GIB, ""), ProcessCount("cron", 1)),
        section("units", Unit("cron.service", "loaded", "failed", "failed", "Regular background jobs")),
        section("checks", Check("raid", 2, "CRITICAL: one disk", "disks=1;2;3", 0.25)),
        section("textfiles", TextFile("/var/lib/x.prom", 1.7e9, ""), Series('x{a="b"}', "-0.5")),
        section(
            "people",
            People("utmp", 1.7e9, 1, "libc6", "", "768"),
            Login("op", "pts/0", "198.51.100.4", 7, 1.7e9),
            LoginRecord(1, "login", "op", "pts/0", "198.51.100.4", 7, 1.7e9),
        ),
        section(
            "hardware",
            Sensor("coretemp Core 0", -12.5, 100.0),
            RaidArray("md0", "raid1", "degraded", 2, 1, 12.5),
            Fault("disk", "sda", 3),
        ),
    )


def _logs() -> tuple[Section, ...]:
    return (
        section(
            "logs",
            LogSource("auth", "/var/log/auth.log", "ok", "", "", "1 2 90 ab", 0, 0),
            LogText(1, "auth", "/var/log/auth.log", "Nov 14 22:13:20 web1 sshd[7]: Server listening"),
            JournalEntry(1, "sshd", 1.7e9, "sshd", 7, 0, "ssh.service", 6, 1, "Server listening"),
        ),
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

"""Machines that exist only as values: readings, metric values and polls like those of an ordinary server."""

from __future__ import annotations

import math
from dataclasses import replace

from poller.metrics import SAMPLE_TABLES, columns
from poller.model import (
    Address,
    BlockDevice,
    CpuTimes,
    FileSystem,
    Interface,
    LoadAverage,
    Memory,
    MetricValue,
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

GIB = 1 << 30
START_MS = 1_760_000_000_000
CORES = tuple(str(number) for number in range(8))
MOUNTS = ("/", "/var", "/home")
DISKS = ("sda", "nvme0n1")
INTERFACES = ("lo", "eth0", "eth1")
_KEYS = {"core": CORES, "mountpoint": MOUNTS, "device": DISKS, "interface": INTERFACES}


def rows(minute: int) -> dict[str, tuple[Row, ...]]:
    """Every section's rows of an 8-core machine, `minute` minutes after its boot."""
    busy = minute * 60.0
    return {
        "system": (System("web1.example.org", "Linux", "6.1.0-25-amd64", "x86_64", "debian", "12", "Debian 12", 8),),
        "cpu": tuple(
            CpuTimes(core, busy * 0.31, 0.12, busy * 0.11, busy * 0.52, 10.5, 0.01, busy * 0.03, 0.0, 0.0, 0.0)
            for core in ("all", *CORES)
        ),
        "memory": (Memory(16 * GIB, 9 * GIB, 2 * GIB, GIB // 4, 5 * GIB, GIB // 8, GIB // 3, 4096, GIB, GIB, 0, 0),),
        "load": (LoadAverage(1.25, 0.75, 0.5),),
        "filesystem": tuple(
            FileSystem(mount, f"/dev/sda{i}", "ext4", "ok", 0, 100 * GIB, 41 * GIB, 54 * GIB, 6553600, 6000000)
            for i, mount in enumerate(MOUNTS)
        ),
        "block": tuple(
            BlockDevice(disk, "SAMSUNG MZ7LH480", 480 * GIB, minute * 1000, minute * 1_000_000, busy * 0.01,
                        minute * 3000, minute * 9_000_000, busy * 0.04, busy * 0.05)
            for disk in DISKS
        ),
        "network": (
            *(Interface(name, "52:54:00:12:34:56", "up", 1500, 1_000_000_000, minute * 123_456, minute * 900, 0, 0,
                        minute * 654_321, minute * 800, 0, 0) for name in INTERFACES),
            *(Address(name, "inet", f"192.0.2.{i}", 24) for i, name in enumerate(INTERFACES, 1)),
            *(Address(name, "inet6", f"2001:db8::{i}", 64) for i, name in enumerate(INTERFACES, 1)),
        ),
        "processes": (Processes(212, 1, 140, 0, 0, 0, 71),),
        "pressure": tuple(
            Pressure(resource, kind, busy * 0.001) for resource in ("cpu", "memory", "io") for kind in ("some", "full")
        ),
    }  # fmt: skip


def reading(minute: int = 1, boot_id: str = "0b6a4f9e-1111-4222-8333-444455556666") -> Reading:
    return Reading(
        START_MS / 1000 + minute * 60 + 0.25,
        minute * 60.0,
        boot_id,
        tuple(Section(name, SectionStatus.OK, "", 0.0012, found) for name, found in rows(minute).items()),
    )


def values(minute: int = 1) -> tuple[MetricValue, ...]:
    """Every metric of every table, for every label; each value differs and moves with the minute."""
    return tuple(
        MetricValue(metric.name, _value(metric.unit, minute, i + j), ((metric.label, key),) if metric.label else ())
        for table in SAMPLE_TABLES
        for i, metric in enumerate(columns(table))
        for j, key in enumerate(_KEYS.get(metric.label, ("one",)))
    )


def _value(unit: str, minute: int, spread: int) -> float:
    if unit == "bytes":
        return float(GIB + minute * 4096 + spread)
    if unit in ("count", "0 or 1"):
        return float((minute + spread) % 2)
    return (minute * 7 + spread * 13) % 101 + 0.123456


def poll(host: str, minute: int = 1, *, number: int = 0, boot_id: str = "0b6a4f9e-1111-4222-8333-444455556666") -> Poll:
    """A poll of `host` that brought a report. Its id is made from host, minute and number."""
    at_ms = START_MS + minute * 60_000
    return Poll(
        id=f"{at_ms:012x}-{number:04x}-{host}",
        host=host,
        at_ms=at_ms,
        outcome=PollOutcome.OK,
        seconds=0.212345,
        stages={"dns": 0.0001, "connect": 0.0012, "handshake": 0.0345, "hostkey": 0.0002, "auth": 0.0213,
                "session": 0.0101, "python": 0.0301, "probe": 0.0899, "envelope": 0.0011, "report": 0.0007},
        asked_ms=at_ms + 60,
        answered_ms=at_ms + 200,
        address="192.0.2.10",
        host_key="SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        sent_bytes=21_000,
        received_bytes=4_000,
        report=Report(host, "ab" * 32, "3.11.2", 0.0812, (reading(minute, boot_id),)),
    )  # fmt: skip


def failed(
    host: str, minute: int = 1, stage: str = "connect", code: str = "refused", *, security: bool = False
) -> Poll:
    at_ms = START_MS + minute * 60_000
    return Poll(
        id=f"{at_ms:012x}-fail-{host}",
        host=host,
        at_ms=at_ms,
        outcome=PollOutcome.FAILED,
        stage=stage,
        code=code,
        error="nothing listens on that port: 192.0.2.10 port 22",
        hint="check that sshd runs there, and port=",
        security=security,
        seconds=0.01,
        stages={"dns": 0.001, "connect": 0.009},
    )


def with_section(source: Poll, name: str, status: SectionStatus, reason: str) -> Poll:
    """The same poll, as if one section could not be read."""
    assert source.report is not None
    now = source.report.now
    sections = tuple(
        Section(name, status, reason, 0.5) if section.name == name else section for section in now.sections
    )
    return replace(
        source,
        outcome=PollOutcome.PARTIAL,
        report=replace(source.report, readings=(replace(now, sections=sections),)),
    )


def with_memory_in_use(source: Poll, percent: float) -> Poll:
    """The same poll of a machine with that share of its memory in use."""
    assert source.report is not None
    now = source.report.now
    sections = tuple(
        replace(section, rows=tuple(_in_use(row, percent) for row in section.rows)) for section in now.sections
    )
    return replace(source, report=replace(source.report, readings=(replace(now, sections=sections),)))


def _in_use(row: Row, percent: float) -> Row:
    if not isinstance(row, Memory):
        return row
    return replace(row, available=math.ceil(row.total * (100 - percent) / 100))

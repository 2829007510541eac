"""A machine that is watched, as values: what is plugged in, mounted, listening and talked to at one poll."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from poller.model import (
    Brief,
    Check,
    Connection,
    Device,
    Event,
    Findings,
    KernelLog,
    Listener,
    Login,
    LogLine,
    LogSource,
    MetricValue,
    Mount,
    Poll,
    Row,
    Section,
    SectionStatus,
    Severity,
    Talk,
    Unit,
    UsbDevice,
)
from poller.store import Journal
from tests.store.machines import poll, values

MINUTE_MS = 60_000


def usb(port: str = "1-1.2", **changes: Any) -> UsbDevice:
    stick = UsbDevice(
        port, "0951", "1666", "Kingston", "DataTraveler", "60A4", "00", "08", "storage", 480_000_000, "sdb"
    )
    return replace(stick, **changes)


def mount(mountpoint: str = "/media/stick", **changes: Any) -> Mount:
    return replace(Mount(mountpoint, "/dev/sdb1", "vfat", "/", "rw,nosuid", 1, 1, 0, 0, "sdb"), **changes)


def connection(port: int = 40000, **changes: Any) -> Connection:
    one = Connection("tcp", "192.0.2.7", port, "198.51.100.4", 443, False, 1000, "curl", "ESTABLISHED", 100, 200)
    return replace(one, **changes)


def talk(peer: str = "198.51.100.4", **changes: Any) -> Talk:
    return replace(Talk("tcp", False, peer, 443, 1000, "internet", False, 1000, 500, 60.0, 1, 1), **changes)


def line(number: int = 0, **changes: Any) -> LogLine:
    one = LogLine(
        "auth", "/var/log/auth.log", 1_760_000_000_000 + number, "sshd", 42, 6, Severity.LOW, 1, False, f"m{number}"
    )
    return replace(one, **changes)


def read(name: str, *rows: Row, status: SectionStatus = SectionStatus.OK, reason: str = "") -> Section:
    return Section(name, status, reason, 0.001, rows)


def seen(host: str, minute: int, *sections: Section, **changes: Any) -> Poll:
    """A poll whose report has these sections beside those of an ordinary server."""
    one = poll(host, minute, **changes)
    assert one.report is not None
    now = one.report.now
    return replace(one, report=replace(one.report, readings=(replace(now, sections=(*now.sections, *sections)),)))


def store(
    journal: Journal, one: Poll, findings: Findings | None = None, found: Iterable[MetricValue] | None = None
) -> None:
    """In a transaction of its own."""
    with journal.transaction() as work:
        assert work.store_poll(one, values(1) if found is None else tuple(found), None, findings or Findings())


def everything(host: str, minute: int) -> tuple[Poll, Findings]:
    """A poll that brings a row of every table; what differs from minute to minute comes and goes."""
    log = LogSource("auth", "/var/log/auth.log", "ok", "", str(minute - 1) if minute > 1 else "", str(minute), 0, 10)
    one = seen(
        host,
        minute,
        read("usb", usb(), *([usb("1-1.3", serial=f"{minute}")] if minute % 2 else [])),
        read("devices", Device("disk", "sdb", "DataTraveler", "60A4", 1 << 34, 1, "1-1.2")),
        read("mounts", mount(), mount("/mnt/a", options=f"rw,size={minute}"), mount("/mnt/a ")),
        read("kernel", KernelLog("kmsg", str(minute - 1) if minute > 1 else "", str(minute), 0)),
        read("sockets", Listener("tcp", "0.0.0.0", 22, 0, "sshd"), Listener("tcp", "127.0.0.1", 8000 + minute, 0, "")),  # noqa: S104 - a value
        read("traffic"),
        read("units", Unit("backup.service", "loaded", "failed", "failed", "Backup")),
        read("checks", Check("disk", minute % 3, "DISK", "/=5GB", 0.1)),
        read("people", Login("alice", "pts/0", "192.0.2.9", 4000, 1_760_000_000.25)),
        read("hardware", status=SectionStatus.DENIED, reason="EDAC"),
        read("logs", log),
    )
    findings = Findings(
        events=(Event("usb_attached", one.at_ms, Severity.MEDIUM, "storage 0951:1666 at port 1-1.2"),),
        talks=(talk(), talk("2001:db8::4", inbound=True, port=22, sent=None, received=None)),
        connections=(connection(sent=minute * 100), connection(50000 + minute)),
        lines=tuple(line(number, text=f"{minute} ä 😀 \\x1b {number}") for number in range(minute)),
        briefs=(Brief("1-1.4", "04e8", "6860", "Samsung", "Galaxy", "R58", one.at_ms - 40_000, one.at_ms - 20_000),),
        processes=((42, "python3", 1000, "alice", 12.5, 1 << 20, ""), (43, "cc1", 0, "root", None, 1 << 30, "cc1 -O2")),
    )
    return one, findings


# One table of each, filled by `everything`.
TABLES = (
    "usb_device", "device", "mount", "listener", "login", "connection", "peer", "unit", "service_check", "log_source",
    "section_state", "series", "series_sample", "activity_sample", "peer_sample", "peer_day", "process_sample",
    "log_line",
)  # fmt: skip


def fill(journal: Journal, host: str, *minutes: int) -> None:
    for minute in minutes:
        one, findings = everything(host, minute)
        store(journal, one, findings, values(minute))

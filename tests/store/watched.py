"""What a host reports beside numbers, as values: a keyboard always; a stick, a login and a port when it is busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from poller.model import (
    Check,
    Connection,
    Device,
    Findings,
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

HUB: Final = UsbDevice("usb1", "1d6b", "0002", "Linux Foundation", "2.0 root hub", "0000:00:14.0", "09", "09", "hub",
                       480_000_000, "")  # fmt: skip
KEYBOARD: Final = UsbDevice("1-1", "046d", "c31c", "Logitech, Inc.", "Keyboard K120", "", "00", "03", "keyboard",
                            1_500_000, "")  # fmt: skip
STICK: Final = UsbDevice("1-2.1", "0951", "1666", "Kingston", "DataTraveler", "60A44C41", "00", "08", "storage",
                         480_000_000, "sdb")  # fmt: skip
DISK: Final = Device("disk", "sda", "SAMSUNG MZ7LH480", "S4A1", 480 << 30, 0, "pci")
ROOT: Final = Mount("/", "/dev/sda1", "ext4", "/", "rw,relatime", 0, 0, 0, 0, "sda")
MEDIA: Final = Mount("/media/stick", "/dev/sdb1", "vfat", "/", "rw,nosuid,nodev", 1, 1, 0, 0, "sdb")
SSH: Final = Listener("tcp", "0.0.0.0", 22, 0, "sshd")  # noqa: S104 - what a host tells
WEB: Final = Listener("tcp", "192.0.2.10", 8080, 1000, "python3")
ANN: Final = Login("ann", "tty1", "", 4242, 1_760_000_123.0)
FINE: Final = Unit("ssh.service", "loaded", "active", "running", "OpenBSD Secure Shell server")
BROKEN: Final = Unit("backup.service", "loaded", "failed", "failed", "Nightly backup")
CHECKS: Final = (
    Check("http", 2, "HTTP CRITICAL - refused", "time=0.02s", 0.03),
    Check("ntp", 0, "NTP OK", "offset=0.001s", 0.01),
)
LOGS: Final = (
    LogSource("auth", "/var/log/auth.log", "denied", "Permission denied", "", "", 0, 0),
    LogSource("syslog", "/var/log/syslog", "ok", "", "", "", 0, 0),
)


def quiet() -> dict[str, Sequence[Row]]:
    """Section -> rows of a host at which nobody is."""
    return {
        "usb": (HUB, KEYBOARD),
        "devices": (DISK,),
        "mounts": (ROOT,),
        "sockets": (SSH,),
        "units": (FINE,),
        "people": (),
        "logs": LOGS,
    }


def busy() -> dict[str, Sequence[Row]]:
    """The same with a stick in it, somebody there, a new port, a unit that failed and a check that is critical."""
    return quiet() | {
        "usb": (HUB, KEYBOARD, STICK),
        "mounts": (ROOT, MEDIA),
        "sockets": (SSH, WEB),
        "units": (BROKEN, FINE),
        "checks": CHECKS,
        "people": (ANN,),
    }


def with_sections(source: Poll, sections: Mapping[str, Sequence[Row]], **states: tuple[SectionStatus, str]) -> Poll:
    """The same poll with these sections beside its own; `states` gives the status and reason of some of them."""
    assert source.report is not None
    now = source.report.now
    more = tuple(
        Section(name, *states.get(name, (SectionStatus.OK, "")), 0.001, tuple(rows)) for name, rows in sections.items()
    )
    return replace(source, report=replace(source.report, readings=(replace(now, sections=(*now.sections, *more)),)))


def heat(celsius: float) -> tuple[MetricValue, ...]:
    return (MetricValue("hardware.celsius", celsius, (("sensor", "coretemp/Core 0"),)),)


def line(at_ms: int, text: str, **changes: Any) -> LogLine:
    one = LogLine("syslog", "/var/log/syslog", at_ms, "sshd", 812, 6, Severity.LOW, 1, False, text)
    return replace(one, **changes)


def findings(at_ms: int) -> Findings:
    """Of one poll: three peers, a connection, two log lines, two processes."""
    out = Talk("tcp", False, "198.51.100.7", 443, 1000, "internet", False, 1000, 50_000, 60.0, 1, 1)
    return Findings(
        talks=(
            out,
            replace(out, inbound=True, peer="192.0.2.99", port=22, scope="local", sent=300, received=200),
            replace(out, peer="203.0.113.5", port=53, sent=None, received=None),
        ),
        connections=(
            Connection(
                "tcp", "192.0.2.10", 40000, "198.51.100.7", 443, False, 1000, "firefox", "ESTABLISHED", 1000, 50_000
            ),
        ),
        lines=(
            line(at_ms - 2000, "Failed password for root from 198.51.100.9 port 4711 ssh2"),
            line(
                at_ms - 1000, "I/O error, dev sdb, sector 100%_5", program="kernel", priority=3, severity=Severity.HIGH
            ),
        ),
        processes=((4711, "firefox", 1000, "ann", 97.5, 1 << 30, ""), (1, "systemd", 0, "root", None, 12 << 20, "")),
    )

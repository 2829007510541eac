"""Readings -> the numbers of the tables activity_sample and series_sample, but those of talks and logs.

A section that was not read gives nothing. The 0 of a thing that a threshold names and that is not there needs a section
that was read to its end, and so do counts. Not so sockets and mounts, of which there may be too many to list: the
listeners are all there, and the counts are at least those of the many that were read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from poller.findings import perfdata
from poller.findings.remembered import earlier, section_of
from poller.findings.series import parse_value
from poller.model import (
    Check,
    Fault,
    Listener,
    Login,
    MetricValue,
    Mount,
    People,
    ProcessCount,
    RaidArray,
    Reading,
    Section,
    Sensor,
    Series,
    SocketCount,
    TextFile,
    Unit,
    UsbDevice,
    Watch,
)

Found = Iterator[MetricValue]

# metric -> protocol and states of the socket counts that it is the sum of; none: all
_SOCKETS: Final = {
    "tcp.established": ("tcp", "ESTABLISHED"),
    "tcp.syn_sent": ("tcp", "SYN_SENT"),
    "tcp.syn_received": ("tcp", "SYN_RECV"),
    "tcp.time_wait": ("tcp", "TIME_WAIT"),
    "tcp.close_wait": ("tcp", "CLOSE_WAIT"),
    "tcp.listening": ("tcp", "LISTEN"),
    "udp.sockets": ("udp", ""),
}
# Faults of a cable are told apart: a link that goes up and down is no failing hardware.
_LINK: Final = "link"
_WORKS: Final = ("active", "reloading", "refreshing")  # active states of a unit that does its work


def numbers(before: Reading | None, now: Reading, watch: Watch) -> tuple[MetricValue, ...]:
    """Each metric and label once."""
    found = [
        value for name, told in _TOLD.items() if (section := section_of(now, name)) for value in told(section, watch)
    ]
    if (files := section_of(now, "textfiles")) is not None:
        found += _textfiles(files, now.clock)
    if (hardware := section_of(now, "hardware")) is not None:
        found += _hardware(before, now, hardware)
    return tuple({(value.metric, value.labels): value for value in found}.values())


def _sockets(section: Section, watch: Watch) -> Found:
    counts = [row for row in section.rows if isinstance(row, SocketCount)]
    for metric, (protocol, state) in _SOCKETS.items():
        yield MetricValue(metric, float(sum(
            row.count for row in counts if row.protocol == protocol and state in ("", row.state)
        )))  # fmt: skip
    ports = {(row.protocol, row.port) for row in section.rows if isinstance(row, Listener)}
    for port in watch.ports:
        heard = not ports.isdisjoint({("tcp", port), ("udp", port)})
        yield MetricValue("port.listening", float(heard), (("port", str(port)),))
    for port in watch.udp_ports:
        yield MetricValue("port.listening", float(("udp", port) in ports), (("port", f"udp/{port}"),))


def _usb(section: Section, watch: Watch) -> Found:
    if section.reason:
        return
    devices = [row for row in section.rows if isinstance(row, UsbDevice) and row.kind != "hub"]
    listed = sum(watch.lists_usb(row.vendor, row.product, row.serial, row.port) for row in devices)
    yield MetricValue("usb.devices", float(len(devices)))
    yield MetricValue("usb.unlisted", float(len(devices) - listed))


def _mounts(section: Section, watch: Watch) -> Found:
    mounts = [row for row in section.rows if isinstance(row, Mount)]
    yield MetricValue("mounts.removable", float(sum(bool(row.removable or row.usb) for row in mounts)))


def _units(section: Section, watch: Watch) -> Found:
    units = {row.unit: row for row in section.rows if isinstance(row, Unit)}
    active = {unit: float(row.active in _WORKS) for unit, row in units.items()}
    yield from _named("unit.active", "unit", active, watch.units, complete=not section.reason)
    if not section.reason:
        yield MetricValue("units.failed", float(sum(row.active == "failed" for row in units.values())))


def _top(section: Section, watch: Watch) -> Found:
    counts = {row.name: float(row.count) for row in section.rows if isinstance(row, ProcessCount)}
    yield from _named("process.count", "name", counts, watch.processes, complete=not section.reason)


def _named(metric: str, label: str, seen: dict[str, float], asked: Iterable[str], *, complete: bool) -> Found:
    """What was seen, and 0 for what was asked for and is not there. The probe writes a backslash as two; the label is
    as it was asked for."""
    names = {name.replace("\\", "\\\\"): name for name in asked}
    missing = {name: 0.0 for name in names if name not in seen} if complete else {}
    for name, value in (seen | missing).items():
        yield MetricValue(metric, value, ((label, names.get(name, name)),))


def _people(section: Section, watch: Watch) -> Found:
    row = next((row for row in section.rows if isinstance(row, People)), None)
    if row is None:
        return
    yield MetricValue("reboot.pending", float(row.reboot_pending))
    if row.source and not section.reason:
        yield MetricValue("users.logged_in", float(sum(isinstance(login, Login) for login in section.rows)))


def _checks(section: Section, watch: Watch) -> Found:
    for row in section.rows:
        if isinstance(row, Check):
            yield MetricValue("check.status", float(row.status), (("check", row.check),))
            for label, value in perfdata.parse(row.perfdata):
                yield MetricValue("check.value", value, (("value", f"{row.check}/{label}"),))


def _textfiles(section: Section, clock: float) -> Found:
    """The age by the host's own clock, which also stamped the file."""
    for row in section.rows:
        if isinstance(row, TextFile) and row.at:
            yield MetricValue("textfile.age_seconds", max(0.0, clock - row.at), (("file", row.file),))
        elif isinstance(row, Series) and (value := parse_value(row.value)) is not None:
            yield MetricValue("textfile.value", value, (("series", row.series),))


def _hardware(before: Reading | None, now: Reading, section: Section) -> Found:
    for row in section.rows:
        if isinstance(row, Sensor):
            yield MetricValue("hardware.celsius", row.celsius, (("sensor", row.sensor),))
        elif isinstance(row, RaidArray):
            yield MetricValue("raid.missing_disks", float(max(0, row.disks - row.working)), (("array", row.array),))
    remembered = earlier(before, now, section.name)
    if remembered is None:
        return
    was = {(row.kind, row.device): row.count for row in remembered[0].rows if isinstance(row, Fault)}
    faults = [row for row in section.rows if isinstance(row, Fault)]
    since = {(row.kind, row.device): row.count - was.get((row.kind, row.device), row.count + 1) for row in faults}
    for (kind, device), count in since.items():
        if count >= 0:  # a counter that went back or that is new tells nothing
            yield MetricValue("hardware.faults_of", float(count), (("fault", f"{kind}/{device}"),))
    counted = [count for (kind, _), count in since.items() if kind != _LINK and count >= 0]
    if counted:
        yield MetricValue("hardware.faults", float(sum(counted)))


_TOLD: Final[dict[str, Callable[[Section, Watch], Found]]] = {
    "sockets": _sockets,
    "usb": _usb,
    "mounts": _mounts,
    "units": _units,
    "top": _top,
    "people": _people,
    "checks": _checks,
}

"""Messages of the kernel -> USB devices that came and went, or went and came, between two polls; hardware that fails.

Patterns fit from the beginning of a message, where no name of a process, file or device can stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from poller.findings.remembered import section_of
from poller.findings.told import cut
from poller.findings.usb import usb_details, usb_severity, usb_told
from poller.model import Brief, Event, KernelMessage, Reading, Severity, UsbDevice, Watch

USB: Final = re.compile(
    r"usb (?P<port>\d+-[\d.]+): (?:New USB device found, idVendor=(?P<vendor>[0-9a-f]{4}), "
    r"idProduct=(?P<product>[0-9a-f]{4})|(?P<name>Product|Manufacturer|SerialNumber): (?P<text>.*)|USB disconnect)"
)
FIELDS: Final = {"Product": "product_name", "Manufacturer": "vendor_name", "SerialNumber": "serial"}
LINK: Final = r"(?:\S+ ){0,4}?(?P<of>[\w.-]+)(?:: (?:NIC )?| NIC )(?:Copper |Fiber )?[Ll]ink (?:is )?(?i:%s)(?=$|[ ,.])"
BOND: Final = r"\S+: link status definitely %s for (?:active )?interface (?P<of>[\w.-]+)"
SLAVE: Final = r"\S+: \(slave (?P<of>[\w.-]+)\): link status definitely %s"
BLOCK: Final = r"(?:\w+: )?(?:I/O|critical [\w ]+|device offline|protection|recovered) error, dev (?P<of>\w+)"
OOM: Final = r"(?:Memory cgroup out of memory: |Out of memory: )?Kill(?:ed)? process \d+ \((?P<of>.*?)\)"
# (kind, severity, what such a message begins with); `of` names what it happened to
TROUBLE: Final[tuple[tuple[str, Severity, re.Pattern[str]], ...]] = tuple(
    (kind, severity, re.compile(pattern))
    for kind, severity, pattern in (
        ("io_error", Severity.HIGH, BLOCK),
        ("io_error", Severity.HIGH, r"Buffer I/O error on dev(?:ice)? (?P<of>\w+)"),
        ("io_error", Severity.HIGH, r"(?:nvme )?(?P<of>nvme\w+): I/O"),
        ("io_error", Severity.HIGH, r"md/\S+: Disk failure on (?P<of>\w+)"),
        ("filesystem_error", Severity.HIGH, r"Aborting journal on device (?P<of>[^\s-]+)"),
        ("filesystem_error", Severity.HIGH, r"\S+-fs (?:error )?\((?:device )?(?P<of>[^)\s]+)\)"),
        ("filesystem_error", Severity.HIGH, r"XFS \((?P<of>[^)\s]+)\): "),
        ("filesystem_error", Severity.HIGH, r"BTRFS:? \w+:? \((?:device )?(?P<of>[^)\s]+)\)"),
        ("memory_error", Severity.HIGH, r"EDAC (?P<of>\S+): \d+ [CU]E "),
        ("memory_error", Severity.HIGH, r"(?:mce: |\S*\{\d+\})?\[Hardware Error\]|Memory failure: "),
        ("oom_kill", Severity.MEDIUM, OOM),
        *(("link_down", Severity.MEDIUM, pattern % "down") for pattern in (LINK, BOND, SLAVE)),
        *(("link_up", Severity.LOW, pattern % "up") for pattern in (LINK, BOND, SLAVE)),
    )
)
# The name of a process (15 characters of its own choice) with its number, and links of disks and of the PCI bus.
NEVER: Final = re.compile(r".{0,15}(?:\[\d+\]| ?\(\d+\)): |usb |ata\d|pcieport |.*\bSlot\(")


@dataclass(slots=True)
class Visit:
    """A device that the log saw come, and, line by line, what it is and when it went (0: it did not)."""

    port: str
    attached: float
    vendor: str = ""
    product: str = ""
    vendor_name: str = ""
    product_name: str = ""
    serial: str = ""
    removed: float = 0.0

    @property
    def key(self) -> tuple[str, ...]:
        return self.port, self.vendor, self.product, self.serial


def kernel(
    before: Reading | None, now: Reading, at_ms: int, watch: Watch
) -> tuple[tuple[Brief, ...], tuple[Event, ...]]:
    """Devices that are in neither reading, and events: of these, of those that were away in between, of what fails."""
    messages = [row for row in now.rows(KernelMessage) if isinstance(row, KernelMessage)]
    if before is None or not messages:
        return (), ()

    def centre(at: float) -> int:
        return at_ms + round((at - now.clock) * 1000)

    seen = {_key(row): row for row in _devices(before, now)}
    visits = list(_visits(messages))
    briefs = tuple(
        Brief(
            one.port,
            one.vendor,
            one.product,
            one.vendor_name,
            one.product_name,
            one.serial,
            centre(one.attached),
            centre(one.removed),
        )
        for one in visits
        if one.removed and one.key not in seen
    )
    events = [event for brief in briefs for event in _events(brief, watch)]
    gone = dict(_gone(messages))
    events += [
        Event("usb_removed", centre(at), Severity.LOW, f"a device at port {port} that had come since USB was read")
        for port, at in gone.items()
        if port not in {row.port for row in seen.values()}
    ]
    for away in _away(before, now, visits, gone):
        events += _returned(away, centre, watch)
    events += [Event(one.kind, centre(one.at), one.severity, one.details) for one in _trouble(messages)]
    return briefs, tuple(events)


def _devices(*readings: Reading) -> Iterator[UsbDevice]:
    for reading in readings:
        yield from (row for row in reading.rows(UsbDevice) if isinstance(row, UsbDevice))


def _key(row: UsbDevice) -> tuple[str, ...]:
    return row.port, row.vendor, row.product, row.serial


def _visits(messages: Iterable[KernelMessage]) -> Iterator[Visit]:
    """Devices that came: those that went too, in the order in which they went, then those that stayed."""
    there: dict[str, Visit] = {}
    for message in messages:
        found = USB.match(message.text)
        if found is None:
            continue
        port = found["port"]
        if found["vendor"]:
            there[port] = Visit(port, message.at, found["vendor"], found["product"])
        elif port in there and found["name"]:
            setattr(there[port], FIELDS[found["name"]], found["text"].strip())
        elif port in there:
            there[port].removed = message.at
            yield there.pop(port)
    yield from there.values()


def _gone(messages: Iterable[KernelMessage]) -> Iterator[tuple[str, float]]:
    """(port, instant) of devices that went and whose coming is not among the messages."""
    known: set[str] = set()
    for message in messages:
        found = USB.match(message.text)
        if found and found["port"] not in known:
            known.add(found["port"])
            if not (found["vendor"] or found["name"]):
                yield found["port"], message.at


@dataclass(frozen=True, slots=True)
class Away:
    """A device of a reading that was pulled out and put back at its port."""

    device: UsbDevice
    left: float
    back: float


def _away(before: Reading, now: Reading, visits: list[Visit], gone: dict[str, float]) -> Iterator[Away]:
    """Each time between the readings. That a device is missing now, or new, the readings themselves tell."""
    was, is_ = ({_key(row): row for row in _devices(reading)} for reading in (before, now))
    if section_of(now, "usb") is None:
        is_ = was
    for key, device in (was | is_).items():
        own = [visit for visit in visits if visit.key == key]
        left = [gone[device.port]] if key in was and device.port in gone else []
        left += [visit.removed for visit in own if visit.removed]
        for at in left[: None if key in is_ else -1]:
            back = next((visit.attached for visit in own if visit.attached >= at), None)
            if back is not None:
                yield Away(device, at, back)


def _returned(away: Away, centre: Callable[[float], int], watch: Watch) -> Iterator[Event]:
    one, span = away.device, f"{max(0.0, away.back - away.left):.1f} s"
    severity = usb_severity(watch, one.vendor, one.product, one.serial, one.port, one.kind)
    yield Event("usb_removed", centre(away.left), Severity.LOW, cut(f"{usb_told(one)}, for {span}"))
    yield Event("usb_attached", centre(away.back), severity, cut(f"{usb_told(one)}, back after {span}"))


def _events(brief: Brief, watch: Watch) -> Iterator[Event]:
    """What it was for the log does not say, so that it is taken for the worst."""
    names = (brief.vendor_name, brief.product_name)
    severity = usb_severity(watch, brief.vendor, brief.product, brief.serial, brief.port)
    details = usb_details("", brief.vendor, brief.product, names, brief.serial, brief.port)
    yield Event("usb_attached", brief.attached_ms, severity, cut(f"{details}, for {_span(brief)}"))
    yield Event("usb_removed", brief.removed_ms, Severity.LOW, cut(f"{details}, after {_span(brief)}"))


def _span(brief: Brief) -> str:
    return f"{max(0, brief.removed_ms - brief.attached_ms) / 1000:.1f} s"


@dataclass(slots=True)
class Trouble:
    """All messages of one kind about one thing: when and what the first said, and how many there were."""

    kind: str
    severity: Severity
    at: float
    text: str
    count: int = 0

    @property
    def details(self) -> str:
        return cut(self.text) + (f" ({self.count} messages)" if self.count > 1 else "")


def _trouble(messages: Iterable[KernelMessage]) -> list[Trouble]:
    folded: dict[tuple[str, str], Trouble] = {}
    for message in messages:
        known = classified(message.text)
        if known:
            kind, severity, of = known
            one = folded.setdefault((kind, of), Trouble(kind, severity, message.at, message.text))
            one.count += 1
    return list(folded.values())


def classified(text: str) -> tuple[str, Severity, str] | None:
    """(kind of event, severity, what it happened to) of one message, None when it tells of nothing that fails."""
    for kind, severity, pattern in () if NEVER.match(text) else TROUBLE:
        found = pattern.match(text)
        if found:
            return kind, severity, found.groupdict().get("of") or ""
    return None

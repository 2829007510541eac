"""Two readings -> what came and went: devices, mounts, listeners, logins, units, arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from poller.model import (
    Device,
    Event,
    Listener,
    Login,
    Mount,
    RaidArray,
    Reading,
    Row,
    SectionStatus,
    Severity,
    Unit,
    UsbDevice,
    Watch,
    natural_key,
)

# Of one kind and poll; the rest is one event that counts them. A host that starts brings hundreds of mounts.
MOST: Final = 100
LONGEST: Final = 1000  # characters of one event's details
# Kinds that can carry files or packets in or out.
CARRIERS: Final = frozenset({"storage", "phone", "network"})
# The kernel gives these to clients (ip_local_port_range): an unconnected UDP socket there is somebody's question.
EPHEMERAL: Final = 32768


@dataclass(frozen=True, slots=True)
class Told:
    """One change before it is an event.

    `about` are the names by which changes of one insertion know each other: the USB port, and what the kernel calls
    the disk or the card that hangs on it. Empty for what belongs to nothing.
    """

    kind: str
    severity: Severity
    details: str
    about: tuple[str, ...] = ()


def changes(before: Reading | None, now: Reading, at_ms: int, watch: Watch) -> tuple[Event, ...]:
    """Events of what is in one reading and not in the other. Nothing of a section that was not read both times."""
    if before is None:
        return ()
    return tuple(Event(one.kind, at_ms, one.severity, one.details) for one in told(before, now, watch))


def told(before: Reading, now: Reading, watch: Watch) -> tuple[Told, ...]:
    """The same before they are events, for who puts together what belongs together."""
    both = Both(before, now, watch)
    return tuple(_bounded([change for subject in SUBJECTS for change in subject(both)]))


def _bounded(told: list[Told]) -> Iterator[Told]:
    counts: dict[str, int] = {}
    for one in told:
        counts[one.kind] = counts.get(one.kind, 0) + 1
        if counts[one.kind] <= MOST:
            yield one
    for kind, count in counts.items():
        if count > MOST:
            worst = max(one.severity for one in told if one.kind == kind)
            yield Told(kind, worst, f"and {count - MOST} more at the same time")


class Both:
    """The readings before and now, side by side."""

    def __init__(self, before: Reading, now: Reading, watch: Watch) -> None:
        self.before = before
        self.now = now
        self.watch = watch
        self.rebooted = before.boot_id != now.boot_id

    def pairs(self, section: str, kind: type[Row], *, partly: bool = False) -> list[tuple[Any, Any]]:
        """(row before or None, row now or None) of all, in the order they have now, then those that are gone.

        With `partly` a section counts that says it is not complete.
        """
        if self._unchanged(section):
            return []
        old, new = (_rows(reading, section, kind, partly) for reading in (self.before, self.now))
        if old is None or new is None:
            return []
        came = [(old.get(key), row) for key, row in new.items()]
        return came + [(row, None) for key, row in old.items() if key not in new]

    def _unchanged(self, section: str) -> bool:
        """The probe said that its rows are the same, and they were taken over: of one boot they tell nothing new."""
        was, now = self.before.section(section), self.now.section(section)
        return was is not None and now is not None and was.rows is now.rows and not self.rebooted

    def whole(self, section: str) -> bool:
        """Whether it was read to its end both times."""
        return all(
            not found.reason
            for reading in (self.before, self.now)
            for found in reading.sections
            if found.name == section
        )


def _rows(reading: Reading, section: str, kind: type[Row], partly: bool) -> dict[object, Row] | None:
    """By natural key; None when the section was not read."""
    found = reading.section(section)
    if found is None or found.status is not SectionStatus.OK or (found.reason and not partly):
        return None
    return {natural_key(row): row for row in found.rows if type(row) is kind}


def cut(text: str) -> str:
    """Details that fit."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def joined(*words: str) -> str:
    """Those that are not empty, with spaces."""
    return cut(" ".join(word for word in words if word))


def usb_severity(watch: Watch, vendor: str, product: str, serial: str, port: str, kind: str = "storage") -> Severity:
    """Medium for what can carry files or packets and is not listed in `<usb-allow>`."""
    notable = kind in CARRIERS and not watch.lists_usb(vendor, product, serial, port)
    return Severity.MEDIUM if notable else Severity.LOW


def usb_details(kind: str, vendor: str, product: str, names: tuple[str, str], serial: str, port: str) -> str:
    return joined(kind, f"{vendor}:{product}", *names, serial and f"serial {serial}", f"at port {port}")


def usb_told(one: UsbDevice) -> str:
    names = (one.vendor_name, one.product_name)
    details = usb_details(one.kind, one.vendor, one.product, names, one.serial, one.port)
    return joined(details, one.devices and f"({one.devices})")


def _usb(both: Both) -> Iterator[Told]:
    for old, new in both.pairs("usb", UsbDevice):
        one = new or old
        details = usb_told(one)
        about = (one.port, *one.devices.split())
        if old is None:
            severity = usb_severity(both.watch, one.vendor, one.product, one.serial, one.port, one.kind)
            yield Told("usb_attached", severity, details, about)
        elif new is None:
            yield Told("usb_removed", Severity.LOW, details, about)


def _devices(both: Both) -> Iterator[Told]:
    """What hangs on USB is told there with the severity it has. After a reboot the same disk may have another name."""
    pairs = both.pairs("devices", Device)
    if not pairs:
        return
    came = [new for old, new in pairs if old is None]
    gone = [old for old, new in pairs if new is None]
    if both.rebooted:
        came, gone = _without_renamed(came, gone), _without_renamed(gone, came)
    ports, were = (
        {row.port for row in reading.rows(UsbDevice) if isinstance(row, UsbDevice)}
        for reading in (both.now, both.before)
    )
    for one in came:
        notable = one.kind in ("disk", "mmc", "network") and one.bus not in ports
        about = (one.name, one.bus) if one.bus in ports else (one.name,)
        yield Told("device_attached", Severity.MEDIUM if notable else Severity.LOW, _device(one), about)
    for one in gone:
        about = (one.name, one.bus) if one.bus in ports | were else (one.name,)
        yield Told("device_removed", Severity.LOW, _device(one), about)


def _without_renamed(some: list[Device], others: list[Device]) -> list[Device]:
    known = {(other.kind, other.model, other.serial) for other in others if other.serial}
    return [one for one in some if (one.kind, one.model, one.serial) not in known]


def _device(one: Device) -> str:
    return joined(one.kind, one.name, one.model, one.serial and f"serial {one.serial}", one.bus and f"on {one.bus}")


def _mounts(both: Both) -> Iterator[Told]:
    """Where there are too many, the probe leaves out layers and tmpfs before what has a device or a server."""
    whole = both.whole("mounts")
    for old, new in both.pairs("mounts", Mount, partly=True):
        one = new or old
        if not whole and not one.carrier:
            continue
        details = joined(one.device or one.type, f"on {one.mountpoint}", f"type {one.type} ({one.options})", _from(one))
        about = (one.carrier,) if one.carrier and (one.removable or one.usb) else ()
        if old is None:
            foreign = one.removable or one.usb or one.network
            yield Told("mounted", Severity.MEDIUM if foreign else Severity.LOW, details, about)
        elif new is None:
            yield Told("unmounted", Severity.LOW, details, about)
        elif _read_only(old) != _read_only(new):
            severity = Severity.HIGH if _read_only(new) else Severity.LOW
            yield Told("remounted", severity, joined("read-only:" if _read_only(new) else "writable:", details))


def _from(one: Mount) -> str:
    words = [word for word in ("removable", "usb", "network", "loop") if getattr(one, word)]
    return joined("from" if words and one.carrier else "", *words, one.carrier if words else "")


def _read_only(mount: Mount) -> bool:
    return "ro" in mount.options.split(",")


def _listeners(both: Both) -> Iterator[Told]:
    """Where there are too many sockets, the probe leaves out connected ones."""
    for old, new in both.pairs("sockets", Listener, partly=True):
        one = new or old
        if one.protocol.startswith("udp") and one.port >= EPHEMERAL:
            continue
        address = f"[{one.address}]" if ":" in one.address else one.address
        details = joined(one.protocol, f"{address}:{one.port}", one.process, f"uid {one.uid}")
        if old is None:
            yield Told("listener_new", Severity.LOW if _loopback(one.address) else Severity.MEDIUM, details)
        elif new is None:
            yield Told("listener_gone", Severity.LOW, details)


def _loopback(address: str) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return found.is_loopback or bool(getattr(found, "ipv4_mapped", None) and found.ipv4_mapped.is_loopback)  # type: ignore[union-attr]


def _logins(both: Both) -> Iterator[Told]:
    for old, new in both.pairs("people", Login):
        one = new or old
        details = joined(
            one.user, f"on {one.terminal}" if one.terminal else "", f"from {one.source}" if one.source else ""
        )
        if old is None:
            yield Told("login", Severity.LOW, details)
        elif new is None:
            yield Told("logout", Severity.LOW, details)


def _units(both: Both) -> Iterator[Told]:
    """A unit is listed while it failed, or always when it was asked for."""
    for old, new in both.pairs("units", Unit):
        failed, fails = (one is not None and one.active == "failed" for one in (old, new))
        one = new or old
        if fails and not failed:
            yield Told("unit_failed", Severity.MEDIUM, joined(one.unit, f"failed ({one.sub})", one.description))
        elif failed and not fails:
            state = f"is {new.active}" if new else "no longer failed"
            yield Told("unit_recovered", Severity.LOW, joined(one.unit, state, one.description))


def _arrays(both: Both) -> Iterator[Told]:
    for old, new in both.pairs("hardware", RaidArray):
        was, now = (_array(one) for one in (old, new))
        if was != now:
            whole = new is not None and new.working >= new.disks
            name = (new or old).array
            yield Told("raid_changed", Severity.LOW if whole else Severity.HIGH, joined(name, now, f"(was: {was})"))


def _array(one: RaidArray | None) -> str:
    return f"{one.level} {one.state}, {one.working} of {one.disks} disks" if one else "not there"


SUBJECTS: Final[tuple[Callable[[Both], Iterator[Told]], ...]] = (
    _usb, _devices, _mounts, _listeners, _logins, _units, _arrays,
)  # fmt: skip

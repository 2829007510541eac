"""Disks, cards and other devices that came and went."""

from __future__ import annotations

from collections.abc import Iterator

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import Device, Severity, UsbDevice


def devices(both: Both) -> Iterator[Told]:
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

"""USB devices that came and went; what can carry files or packets is told as more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import Severity, UsbDevice, Watch

# Kinds that can carry files or packets in or out.
CARRIERS: Final = frozenset({"storage", "phone", "network"})


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


def usb(both: Both) -> Iterator[Told]:
    for old, new in both.pairs("usb", UsbDevice):
        one = new or old
        details = usb_told(one)
        about = (one.port, *one.devices.split())
        if old is None:
            severity = usb_severity(both.watch, one.vendor, one.product, one.serial, one.port, one.kind)
            yield Told("usb_attached", severity, details, about)
        elif new is None:
            yield Told("usb_removed", Severity.LOW, details, about)

"""File systems that were mounted, unmounted, or became read-only or writable."""

from __future__ import annotations

from collections.abc import Iterator

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import Mount, Severity


def mounts(both: Both) -> Iterator[Told]:
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

"""Sections that were read anew because something changed -> what came and went since they were read before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from poller.findings.changes import told
from poller.findings.told import Told
from poller.findings.usb import usb_severity, usb_told
from poller.model import Reading, Section, SectionStatus, UsbDevice, Watch

# What a host tells of by itself.
LIVE: Final = ("usb", "devices", "mounts")


@dataclass(frozen=True, slots=True)
class Difference:
    """`reading` is how things are now. `grown`: USB devices that were there and are, or bring, something else now."""

    reading: Reading
    told: tuple[Told, ...] = ()
    grown: tuple[Told, ...] = ()


def renewed(known: Reading, pushed: Reading) -> Reading:
    """`known` with those sections that `pushed` read later, each with the uptime at which that was.

    The very same value when there are none: another boot, a section that could not be read, is older than what is
    known, or is not looked at on this host at all.
    """
    if known.boot_id != pushed.boot_id:
        return known
    fresh = {one.name: replace(one, uptime=read_at(pushed, one)) for one in pushed.sections if _usable(one)}
    newer = {
        one.name: fresh[one.name]
        for one in known.sections
        if one.name in fresh
        and one.status is SectionStatus.OK
        and read_at(known, one) < read_at(pushed, fresh[one.name])
    }
    if not newer:
        return known
    return replace(known, sections=tuple(newer.get(one.name, one) for one in known.sections))


def newest(was: Reading | None, pushed: Reading) -> Reading:
    """All sections that were read anew, each as it was read last; of another boot only what is new."""
    later = {one.name: replace(one, uptime=read_at(pushed, one)) for one in pushed.sections if _usable(one)}
    if was is not None and was.boot_id == pushed.boot_id:
        for one in was.sections:
            if one.name not in later or read_at(was, one) > read_at(pushed, later[one.name]):
                later[one.name] = one
    return replace(pushed, sections=tuple(later.values()))


def changed(known: Reading, now: Reading) -> Reading:
    """Of `now` the sections that `known` has not."""
    had = set(map(id, known.sections))
    return replace(now, sections=tuple(one for one in now.sections if id(one) not in had))


def difference(known: Reading, pushed: Reading, watch: Watch) -> Difference:
    """What is told of a reading. Nothing at all of sections that `renewed` leaves out."""
    now = renewed(known, pushed)
    if now is known:
        return Difference(known)
    was, is_ = only_live(known), only_live(now)
    return Difference(now, told(was, is_, watch), tuple(_grown(was, is_, watch)))


def only_live(reading: Reading) -> Reading:
    """Without the sections of which only polls tell."""
    return replace(reading, sections=tuple(one for one in reading.sections if one.name in LIVE))


def read_at(reading: Reading, section: Section) -> float:
    """Seconds after boot at which it was read; one from before a boot is older than everything."""
    uptime = reading.uptime if section.uptime is None else section.uptime
    return uptime if uptime != float("inf") else float("-inf")


def _usable(section: Section) -> bool:
    return section.name in LIVE and section.status is SectionStatus.OK


def _grown(was: Reading, now: Reading, watch: Watch) -> list[Told]:
    """As an event of its coming would have it now: a disk has its name a moment after its stick, and what an adapter is
    for shows when its driver has it.
    """
    before = {_key(row): row for row in was.rows(UsbDevice) if isinstance(row, UsbDevice)}
    found: list[Told] = []
    for row in now.rows(UsbDevice):
        if isinstance(row, UsbDevice):
            old = before.get(_key(row))
            if old is not None and (old.kind, old.devices) != (row.kind, row.devices):
                found.append(_coming(row, watch))
    return found


def _coming(row: UsbDevice, watch: Watch) -> Told:
    severity = usb_severity(watch, row.vendor, row.product, row.serial, row.port, row.kind)
    return Told("usb_attached", severity, usb_told(row), (row.port, *row.devices.split()))


def _key(row: UsbDevice) -> tuple[str, ...]:
    return row.port, row.vendor, row.product, row.serial

"""RAID arrays that lost a disk, got one, came or went."""

from __future__ import annotations

from collections.abc import Iterator

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import RaidArray, Severity


def arrays(both: Both) -> Iterator[Told]:
    for old, new in both.pairs("hardware", RaidArray):
        was, now = (_array(one) for one in (old, new))
        if was != now:
            whole = new is not None and new.working >= new.disks
            name = (new or old).array
            yield Told("raid_changed", Severity.LOW if whole else Severity.HIGH, joined(name, now, f"(was: {was})"))


def _array(one: RaidArray | None) -> str:
    return f"{one.level} {one.state}, {one.working} of {one.disks} disks" if one else "not there"

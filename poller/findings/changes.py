"""Two readings -> what came and went: devices, mounts, listeners, logins, units, arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from poller.findings.arrays import arrays
from poller.findings.both import Both
from poller.findings.devices import devices
from poller.findings.listeners import listeners
from poller.findings.logins import logins
from poller.findings.mounts import mounts
from poller.findings.told import MOST, Told
from poller.findings.units import units
from poller.findings.usb import usb
from poller.model import Event, Reading, Watch

SUBJECTS: Final[tuple[Callable[[Both], Iterator[Told]], ...]] = (
    usb, devices, mounts, listeners, logins, units, arrays,
)  # fmt: skip


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

"""A section as it was read before, of the same boot: what counters since boot may be compared with."""

from __future__ import annotations

from poller.model import Reading, Section, SectionStatus
from poller.probe.window import elapsed


def section_of(reading: Reading, name: str) -> Section | None:
    """The section when it was read; None when it was not asked for, or could not be read."""
    found = reading.section(name)
    return found if found is not None and found.status is SectionStatus.OK else None


def earlier(before: Reading | None, now: Reading, name: str) -> tuple[Section, float] | None:
    """The remembered section and the seconds of uptime since then. A section may be older than its reading."""
    if before is None or before.boot_id != now.boot_id:
        return None
    section = section_of(before, name)
    if section is None:
        return None
    seconds = elapsed(before, now, section)
    return (section, seconds) if seconds > 0 else None

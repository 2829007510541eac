"""Which reading a section's counters are compared with, and the seconds in between.

Elapsed time is the host's uptime, never a clock. Each section counts from the reading that it was in last, which may be
older than the last report.
"""

from __future__ import annotations

from typing import Final

from poller.model import Before, Reading, Section

# Seconds of uptime between two polls whose readings are compared; and the least between two readings of one poll.
YOUNGEST: Final = 2.0
OLDEST: Final = 900.0
SHORTEST_WINDOW: Final = 0.2


def usable(older: Reading, newer: Reading, name: str = "") -> bool:
    """Whether rates may be counted from a remembered reading: the same boot, two seconds to a quarter of an hour.

    With `name` for that section, which may be of an older report than the rest.
    """
    section = older.section(name)
    return older.boot_id == newer.boot_id and YOUNGEST <= elapsed(older, newer, section) <= OLDEST


def elapsed(older: Reading, newer: Reading, section: Section | None = None) -> float:
    """Seconds by the host's uptime, since that section of the older one was read if it says when.

    Minus infinity, when that was before a reboot.
    """
    since = older.uptime if section is None or section.uptime is None else section.uptime
    return newer.uptime - since


def older_section(before: Before, readings: tuple[Reading, ...], name: str) -> tuple[Section, float] | None:
    """The section to count from and the seconds since: the remembered one, else that of the first of two, else none."""
    newest, first = readings[-1], readings[0]
    if before.reading is not None and usable(before.reading, newest, name):
        section = before.reading.section(name)
        if section is not None:
            return section, elapsed(before.reading, newest, section)
    section = first.section(name)
    if section is None or first.boot_id != newest.boot_id:
        return None
    seconds = elapsed(first, newest)
    return (section, seconds) if SHORTEST_WINDOW <= seconds <= OLDEST else None

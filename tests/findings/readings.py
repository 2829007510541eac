"""Readings with the sections a test is about."""

from __future__ import annotations

from poller.model import Reading, Row, Section, SectionStatus


def section(name: str, *rows: Row, reason: str = "", uptime: float | None = None) -> Section:
    return Section(name, SectionStatus.OK, reason, 0.001, rows, uptime)


def reading(
    *sections: Section, uptime: float = 1000.0, boot: str = "boot-1", clock: float = 1_700_000_000.0
) -> Reading:
    return Reading(clock, uptime, boot, sections)

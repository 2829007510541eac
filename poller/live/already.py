"""A poll of a host that is watched live: what it saw earlier than is known by now, and what was told before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from poller.live.difference import LIVE, read_at
from poller.model import Event, Findings, Poll, Reading, Report, SectionStatus

# The kernel's stamp of a message and the arrival of a frame here are so many milliseconds apart at most, beside the
# time of a poll by which the host's clock is known.
APART_MS: Final = 3_000
_PORT: Final = re.compile(r"at port (\d+-[\d.]+)(?=$|[ ,;])")
_USB: Final = ("usb_attached", "usb_removed")


def overtaken(known: Reading | None, poll: Poll) -> Poll:
    """The poll with the newer rows of sections that the host has told of since they were read for it.

    A poll may wait half a second for others before it is stored, and what a host says by itself does not.
    """
    report = poll.report
    if known is None or report is None or known.boot_id != report.now.boot_id:
        return poll
    now = report.now
    newer = {
        one.name: replace(one, uptime=None)
        for one in known.sections
        if one.name in LIVE and one.status is SectionStatus.OK and read_at(known, one) > now.uptime
        if one.uptime is not None
    }
    if not any(one.name in newer for one in now.sections):
        return poll
    reading = replace(now, sections=tuple(newer.get(one.name, one) for one in now.sections))
    return replace(poll, report=_with(report, reading))


def _with(report: Report, reading: Reading) -> Report:
    return replace(report, readings=(*report.readings[:-1], reading))


def repeats(findings: Findings, at_ms: int) -> bool:
    """Whether something in it may have been told before: a device of which the kernel's log tells."""
    return any(event.kind in _USB and event.at_ms != at_ms for event in findings.events)


def untold(findings: Findings, told: Sequence[Event], at_ms: int) -> Findings:
    """Without what the log of the kernel says of devices of which `told` does. `at_ms` is the instant of the poll."""
    left = [event for event in findings.events if event.at_ms == at_ms or not _among(event, told)]
    briefs = tuple(
        brief
        for brief in findings.briefs
        if not (
            _near("usb_attached", brief.port, brief.attached_ms, told)
            and _near("usb_removed", brief.port, brief.removed_ms, told)
        )
    )
    return replace(findings, events=tuple(left), briefs=briefs)


def _among(event: Event, told: Sequence[Event]) -> bool:
    port = _port(event)
    return event.kind in _USB and bool(port) and _near(event.kind, port, event.at_ms, told)


def _near(kind: str, port: str, at_ms: int, told: Sequence[Event]) -> bool:
    return any(one.kind == kind and abs(one.at_ms - at_ms) <= APART_MS and _port(one) == port for one in told)


def _port(event: Event) -> str:
    found = _PORT.search(event.details)
    return found[1] if found else ""

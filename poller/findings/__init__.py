"""A report and the one before -> what it tells beside rates: what changed, who talked to whom, what the logs say.

Pure: nothing is read or kept here. `find` is the one way in; the rest is a file for each subject. `changes` has one
for each of its own: usb, devices, mounts, listeners, logins, units, arrays (`both`: two readings, `told`: one change).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from poller.findings.back import back, skew
from poller.findings.changes import changes
from poller.findings.kernel import kernel
from poller.findings.lines import lines
from poller.findings.numbers import numbers
from poller.findings.people import people
from poller.findings.processes import busiest
from poller.findings.talks import talks
from poller.model import Before, Findings, MetricValue, Poll, Watch


@dataclass(frozen=True, slots=True)
class Found:
    """What one poll tells, and the numbers that came with it."""

    findings: Findings = field(default_factory=Findings)
    values: tuple[MetricValue, ...] = ()


def find(before: Before, poll: Poll, watch: Watch) -> Found:
    """Nothing for a poll without a report, but that a host which is only pinged is back."""
    if poll.report is None:
        return Found(Findings(back(before, poll)))
    was, now = before.reading, poll.report.now
    talked, connections, peers = talks(was, now, watch)
    read, logs = lines(now, watch, poll.at_ms)
    briefs, trouble = kernel(was, now, poll.at_ms, watch)
    events = (
        *back(before, poll),
        *skew(before, poll),
        *changes(was, now, poll.at_ms, watch),
        *trouble,
        *people(was, now, poll.at_ms),
    )
    findings = Findings(events, talked, connections, read, briefs, busiest(was, now, watch))
    return Found(findings, (*numbers(was, now, watch), *peers, *logs, *_clock(poll)))


def _clock(poll: Poll) -> tuple[MetricValue, ...]:
    """Half of the time between question and answer: the host's clock was read some time in it."""
    if not poll.answered_ms:
        return ()
    return (MetricValue("clock.error_seconds", (poll.answered_ms - poll.asked_ms) / 2000),)

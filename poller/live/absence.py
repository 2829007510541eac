"""A host was away while it was watched: from when until when, why, and what its own logs tell of that time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from poller.findings.back import cause, span
from poller.model import Before, Event, Poll, SectionStatus, Severity

# Sections that tell of what happened before they were read, and what people call them.
_LOGS = {"kernel": "kernel log", "people": "wtmp"}
# How a session ended that no failed poll tells of.
_LOST = {
    "probe/timeout": "silence: the network, or the host stood still",
    "probe/closed": "its session was ended",
    "session/closed": "its session was ended",
}
_NOT_OF_LOGS = frozenset({"back", "clock_skew", "rebooted"})


@dataclass(frozen=True, slots=True)
class Absence:
    """`from_ms`: when it was heard last; `lost_ms`: when its session was given up; `reason`: why, as LinkState has it.

    `before` is what was remembered of it when it came back.
    """

    from_ms: int
    lost_ms: int
    reason: str
    before: Before = field(default_factory=Before)

    def ended_by(self, poll: Poll) -> bool:
        """A poll that was under way when the session was lost is none of the time after it."""
        return poll.report is not None and poll.at_ms >= self.lost_ms

    def words(self, poll: Poll) -> str:
        """`back after 12s: rebooted (boot id changed)`"""
        trouble, _, _ = self.reason.partition(":")
        before = self.before if self.before.failures else replace(self.before, trouble=trouble)
        lost = "" if self.before.failures else _LOST.get(trouble, "")
        return f"back after {span(max(0, poll.at_ms - self.from_ms) // 1000)}: {cause(before, poll, lost)}"

    def event(self, poll: Poll, found: Sequence[Event]) -> Event:
        """`found` is what that poll told."""
        details = f"not watched from {_clock(self.from_ms)} to {_clock(poll.at_ms)} UTC; {self.words(poll)}; "
        return Event("gap", poll.at_ms, Severity.LOW, details + _recovered(poll, found))


def _recovered(poll: Poll, found: Sequence[Event]) -> str:
    read = {one.name for one in poll.report.now.sections if one.status is SectionStatus.OK} if poll.report else set()
    logs = [words for name, words in _LOGS.items() if name in read]
    unread = [words for name, words in _LOGS.items() if name not in read]
    late = Counter(one.kind for one in found if one.at_ms < poll.at_ms and one.kind not in _NOT_OF_LOGS)
    kinds = ", ".join(f"{count} {kind}" for kind, count in late.items()) or "nothing"
    parts = [f"recovered from {' and '.join(logs)}: {kinds}"] if logs else []
    return ", ".join(parts + [f"{words} could not be read" for words in unread])


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")

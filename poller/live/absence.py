"""A host was away while it was watched: from when until when, why, and what its own logs tell of that time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from poller.findings.back import answered_ms, cause, span
from poller.model import NEVER, Before, Event, Link, LinkState, Poll, SectionStatus, Severity, Watch

# Sections that tell of what happened before they were read, and what people call them.
_LOGS = {"kernel": "kernel log", "people": "wtmp"}
# How a session ended that no failed poll tells of.
_LOST = {
    "": "its session was made anew",
    "probe/timeout": "silence: the network, or the host stood still",
    "probe/closed": "its session was ended",
    "session/closed": "its session was ended",
}
_NOT_OF_LOGS = frozenset({"back", "clock_skew", "rebooted"})
# Logs that tell whole seconds only put what happened up to so many milliseconds too early.
_ROUNDED_MS = 1_000


@dataclass(frozen=True, slots=True)
class Absence:
    """`from_ms`: when it was heard last; `reason`: why its session was lost, as LinkState has it.

    `over`: there is a session again, whose poll is about to come. `before` is what was remembered of the host then.
    """

    from_ms: int
    reason: str
    over: bool = False
    before: Before = field(default_factory=Before)

    def ended_by(self, poll: Poll) -> bool:
        """A poll that was answered before the session was lost, and is told after it, is none of the time after it."""
        return poll.report is not None and self.over

    def words(self, poll: Poll) -> str:
        """`back after 12s: rebooted (boot id changed)`"""
        trouble, _, _ = self.reason.partition(":")
        before = self.before if self.before.failures else replace(self.before, trouble=trouble)
        lost = "" if self.before.failures else _LOST.get(trouble, "")
        return f"back after {span(max(0, answered_ms(poll) - self.from_ms) // 1000)}: {cause(before, poll, lost)}"

    def event(self, poll: Poll, found: Sequence[Event], watch: Watch) -> Event:
        """`found` is what that poll told; `watch` says which logs are read on that host at all."""
        until_ms = answered_ms(poll)
        away = f"not watched from {_clock(self.from_ms)} to {_clock(until_ms)} UTC"
        parts = (away, self.words(poll), _recovered(self.from_ms, poll, found, watch))
        return Event("gap", until_ms, Severity.LOW, "; ".join(part for part in parts if part))


def renewed(before: LinkState | None, state: LinkState) -> bool:
    """Connected before and after, but not in the same session: it broke under a poll, which went on in another one."""
    if before is None or before.link is not Link.CONNECTED:
        return False
    return state.link is Link.CONNECTED and state.since_ms != before.since_ms


def _recovered(from_ms: int, poll: Poll, found: Sequence[Event], watch: Watch) -> str:
    """What logs tell is dated as if the host had read its clock when the poll began. What the poll noticed itself is of
    that instant, and what is older than the absence was not missed because of it.
    """
    late_ms = answered_ms(poll) - poll.at_ms
    since_ms = from_ms - late_ms - _ROUNDED_MS
    became = {one.name: one.status for one in poll.report.now.sections} if poll.report else {}
    logs = [words for name, words in _LOGS.items() if became.get(name) is SectionStatus.OK]
    unread = [words for name, words in _LOGS.items() if name in became and words not in logs]
    later = [words for name, words in _LOGS.items() if name not in became and watch.period(name) != NEVER]
    meanwhile = [one for one in found if since_ms <= one.at_ms < poll.at_ms]
    late = Counter(one.kind for one in meanwhile if one.kind not in _NOT_OF_LOGS)
    kinds = ", ".join(f"{count} {kind}" for kind, count in late.items()) or "nothing"
    parts = [f"recovered from {' and '.join(logs)}: {kinds}"] if logs else []
    parts += [f"{words} could not be read" for words in unread]
    return ", ".join(parts + [f"{words} not read yet" for words in later])


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")

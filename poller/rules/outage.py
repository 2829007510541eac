"""Did hosts fail, or did the poller lose its network? Pure.

A refused connection or login shows that the network works. What cannot be told apart by one host can by many: when
most of those that answered lately are unreachable within one round, it is our end of the line, or the jump host that
all of them are behind: one fault as well, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from poller.model import Poll, PollOutcome

_JUMP: Final = ("connect", "jump")
_UNREACHABLE: Final = frozenset(
    {
        *(("dns", "unknown"), ("dns", "timeout"), ("connect", "timeout"), ("connect", "unreachable"), _JUMP),
        *(("ping", "timeout"), ("ping", "unreachable")),
    }
)
# With fewer hosts than this, most of them at once is no rare accident.
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class Outage:
    """Of `hosts` that answered lately, `unreachable` did not in this round; `jumps` of these are behind a jump host
    that did not let the poller through.
    """

    hosts: int
    unreachable: tuple[str, ...]
    jumps: int = 0

    def percent(self, *, lasting: bool = False) -> float | None:
        """0 when there are too few to tell. None, unknown, where an outage that lasts has too few left to tell."""
        if self.hosts >= _FEWEST:
            return 100 * len(self.unreachable) / self.hosts
        return None if lasting and (self.unreachable or not self.hosts) else 0.0

    def __str__(self) -> str:
        way = "the way through its jump host" if 2 * self.jumps > len(self.unreachable) else "its network"
        return f"{len(self.unreachable)} of {self.hosts} hosts became unreachable in one round: the poller lost {way}"


def unreachable(poll: Poll) -> bool:
    """Whether the network may be the reason that a poll failed. Not where the machine answered at least a ping."""
    answers = poll.ping is not None and poll.ping.received > 0
    return (poll.stage, poll.code) in _UNREACHABLE and not poll.security and not answers


def outage(polls: Iterable[Poll], reports: Mapping[str, int], since_ms: int) -> Outage:
    """`reports` are the newest report of each host; one that gave none since `since_ms` was dead before and is left
    out, as is one that was not polled this time.
    """
    asked = [
        poll
        for poll in polls
        if poll.outcome is not PollOutcome.SKIPPED and reports.get(poll.host, since_ms - 1) >= since_ms
    ]
    lost = [poll for poll in asked if unreachable(poll)]
    jumps = sum((poll.stage, poll.code) == _JUMP for poll in lost)
    return Outage(len(asked), tuple(poll.host for poll in lost), jumps)

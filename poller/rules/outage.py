"""Did hosts fail, or did the poller lose its network? Pure.

A refused connection or login shows that the network works. What cannot be told apart by one host can by many: when
most of those that answered lately are unreachable within one round, it is our end of the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from poller.model import Poll, PollOutcome

_UNREACHABLE: Final = frozenset(
    {("dns", "unknown"), ("dns", "timeout"), ("connect", "timeout"), ("connect", "unreachable")}
)
# With fewer hosts than this, most of them at once is no rare accident.
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class Outage:
    """Of `hosts` that answered lately, `unreachable` did not in this round."""

    hosts: int
    unreachable: tuple[str, ...]

    @property
    def percent(self) -> float:
        """0 when there are too few to tell."""
        return 100 * len(self.unreachable) / self.hosts if self.hosts >= _FEWEST else 0.0

    def __str__(self) -> str:
        return f"{len(self.unreachable)} of {self.hosts} hosts became unreachable in one round"


def outage(polls: Iterable[Poll], reports: Mapping[str, int], since_ms: int) -> Outage:
    """`reports` are the newest report of each host; one that gave none since `since_ms` was dead before and is left
    out, as is one that was not polled this time.
    """
    asked = [
        poll
        for poll in polls
        if poll.outcome is not PollOutcome.SKIPPED and reports.get(poll.host, since_ms - 1) >= since_ms
    ]
    return Outage(len(asked), tuple(poll.host for poll in asked if (poll.stage, poll.code) in _UNREACHABLE))

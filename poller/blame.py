"""WHOSE FAULT: when most hosts become unreachable at once, the poller lost its network, and that is one alert.

The alerts of the hosts stay recorded. People are not told of them while it lasts: their news is held back, and when
the network is back only those are told that are still true. A poller that dies in between tells too much, not too
little: what was not yet held back is owed.
"""

from __future__ import annotations

from typing import Final

from poller.clock import now_ms
from poller.intake import DOWN
from poller.itself import LOOKED, Assessed, Round, assess
from poller.metrics import OWN
from poller.model import POLLER, Alert, Change, ChangeKind, Config, Event, MetricValue, Severity
from poller.rules import outage
from poller.store import Journal, Work

_UNREACHABLE: Final = f"{OWN}unreachable_percent"
# A host that gave no report for longer than this was down before.
_LATELY_MS: Final = 3_600_000


def settle(journal: Journal, config: Config, done: Round) -> Assessed:
    """After a full round and before anything is delivered. A round over some hosts decides nothing."""
    if not done.full:
        return Assessed()
    with journal.transaction() as work:
        found = outage(done.polls, work.newest_reports(), _since(work, done))
        words = f"{found}: the poller lost its network"
        value = MetricValue(_UNREACHABLE, found.percent)
        assessed = assess(work, config, [value], {_UNREACHABLE: words}, done.started_ms)
        episode = _episode(work)
        if episode is not None:
            work.hold_news(found.unreachable, DOWN, episode.opened_ms)
        else:
            work.release_held(now_ms())
        work.store_events("", [_event(change) for change in assessed.changes if change.alert.metric == _UNREACHABLE])
    return assessed


def _episode(work: Work) -> Alert | None:
    """The alert that says that our network is lost, while it is open."""
    return next((alert for alert in work.alert_memory(POLLER).open if alert.metric == _UNREACHABLE), None)


def _since(work: Work, done: Round) -> int:
    """An hour before the poller last looked, or before it lost its network."""
    episode = _episode(work)
    last_ms = work.noted(LOOKED).get(LOOKED, done.started_ms)
    return min(done.started_ms, last_ms, episode.opened_ms if episode else last_ms) - _LATELY_MS


def _event(change: Change) -> Event:
    over = change.kind in (ChangeKind.CLOSED, ChangeKind.UNCONFIGURED)
    details = f"the network is back: {change.reason}" if over else change.reason
    return Event("network", now_ms(), Severity.LOW if over else Severity.HIGH, details)

"""WHOSE FAULT: when most hosts become unreachable at once, the poller lost its network, and that is one alert. What is
unreachable behind a gateway that is (parent=) is the gateway's fault.

The alerts of the hosts stay recorded. People are not told of them while it lasts: their news is held back, and when
the network or the gateway is back only those are told that are still true. A poller that dies in between tells too
much, not too little: what was not yet held back is owed.
"""

from __future__ import annotations

from typing import Final

from poller import gateways
from poller.clock import now_ms
from poller.intake import DOWN
from poller.itself import Assessed, Round, assess
from poller.metrics import OWN
from poller.model import POLLER, Alert, Change, ChangeKind, Config, Event, MetricValue, Poll, Severity
from poller.rules import Outage, outage
from poller.store import Journal, Work

_UNREACHABLE: Final = f"{OWN}unreachable_percent"
# A host that gave no report for longer than this was down before.
_LATELY_MS: Final = 3_600_000
# Row of `housekeeping`: when the whole fleet was looked at last. A one-shot says nothing about the other hosts.
_FLEET: Final = "fleet"


def settle(journal: Journal, config: Config, done: Round) -> Assessed:
    """After a round and before anything is delivered. One over some hosts neither finds an outage nor ends one."""
    with journal.transaction() as work:
        found = outage(_over_a_network(config, done), work.newest_reports(), _since(work, done))
        assessed = _assessed(work, config, found, done) if done.full else Assessed()
        episode = _episode(work)
        if episode is not None:
            work.hold_news(found.unreachable, DOWN, episode.opened_ms, "network")
        elif done.full:
            work.release_held(now_ms(), "network")
        gateways.settle(work, config, done)
        if done.full:
            work.note(_FLEET, done.started_ms)
        work.store_events("", [_event(change) for change in assessed.changes if change.alert.metric == _UNREACHABLE])
    return assessed


def _over_a_network(config: Config, done: Round) -> list[Poll]:
    """The poller's own machine always answers, whatever becomes of the network."""
    local = {host.name for host in config.hosts if host.local}
    return [poll for poll in done.polls if poll.host not in local]


def _assessed(work: Work, config: Config, found: Outage, done: Round) -> Assessed:
    percent = found.percent(lasting=_episode(work) is not None)
    values = [] if percent is None else [MetricValue(_UNREACHABLE, percent)]
    return assess(work, config, values, {_UNREACHABLE: str(found)}, done.started_ms)


def _episode(work: Work) -> Alert | None:
    """The alert that says that our network is lost, while it is open."""
    return next((alert for alert in work.alert_memory(POLLER).open if alert.metric == _UNREACHABLE), None)


def _since(work: Work, done: Round) -> int:
    """An hour before the poller last looked at all hosts, or before it lost its network."""
    episode = _episode(work)
    last_ms = work.noted(_FLEET).get(_FLEET, done.started_ms)
    return min(done.started_ms, last_ms, episode.opened_ms if episode else last_ms) - _LATELY_MS


def _event(change: Change) -> Event:
    over = change.kind in (ChangeKind.CLOSED, ChangeKind.UNCONFIGURED)
    details = f"the network is back: {change.reason}" if over else change.reason
    return Event("network", now_ms(), Severity.LOW if over else Severity.HIGH, details)

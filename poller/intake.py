"""A FINISHED POLL, top to bottom: rates -> judge -> what changed -> who is owed a message -> one commit.

Runs in the one thread that owns the journal, so it needs no locks. A poll is stored wholly or not at all, and
with it everything that follows from it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from uuid6 import uuid7

from poller.alerts import compare, explained
from poller.clock import now_ms
from poller.errors import StoreError
from poller.findings import find
from poller.model import Change, Comparison, Config, MetricValue, Poll, PollOutcome
from poller.notify import owed
from poller.poll import BACK_OFF, unstorable
from poller.probe.rates import sight, values
from poller.rules import judge
from poller.store import Journal, Work, unread

_log = logging.getLogger(__name__)
DOWN: Final = "host.down"
SECURITY: Final = "host.security"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one poll meant: its numbers, and what changed because of them."""

    poll: Poll
    values: tuple[MetricValue, ...]
    changes: tuple[Change, ...]


class Intake:
    """Takes the polls of one round into the journal; with `keep` False it only says what it would do."""

    def __init__(self, journal: Journal, config: Config, round_id: str, *, keep: bool) -> None:
        self._journal = journal
        self._config = config
        self._thresholds = {host.name: host.thresholds for host in config.hosts}
        self._watch = {host.name: host.watch for host in config.hosts}
        self._round_id = round_id
        self._keep = keep

    def take(self, polls: Sequence[Poll]) -> tuple[Taken, ...]:
        """One transaction for the batch. Raises StoreError; then none of the batch is stored.

        A full disk is no reason yet: the journal may have a reserve, in which all but samples goes.
        """
        try:
            return self._take_all(polls)
        except StoreError as error:
            if not self._journal.make_room(error):
                raise
            return self._take_all(polls)

    def _take_all(self, polls: Sequence[Poll]) -> tuple[Taken, ...]:
        with self._journal.transaction(keep=self._keep) as work:
            return tuple(self._take(work, poll) for poll in polls)

    def _take(self, work: Work, poll: Poll) -> Taken:
        try:
            return self._store(work, poll)
        except StoreError as error:
            if error.code != "store":  # the database is in trouble, not this poll
                raise
            _log.error("the report of %s cannot be stored: %s", ascii(poll.host), ascii(error.sentence))
            return self._store(work, unstorable(poll))

    def _store(self, work: Work, poll: Poll) -> Taken:
        with work.savepoint():
            before = work.before(poll.host)
            poll = unread(before, poll)
            found = find(before, poll, self._watch[poll.host])
            seen = values(before, poll) + found.values + _down(poll) + _security(poll)
            comparison = self._compare(work, poll, seen)
            if work.store_poll(poll, seen, self._round_id, found.findings):
                work.store_comparison(poll.host, comparison)
                owe(work, self._config, comparison.changes)
        return Taken(poll, seen, comparison.changes)

    def _compare(self, work: Work, poll: Poll, seen: Sequence[MetricValue]) -> Comparison:
        thresholds = self._thresholds[poll.host]
        comparison = compare(
            poll.host,
            judge(thresholds, seen, sight(poll, seen)),
            work.alert_memory(poll.host),
            thresholds,
            poll.at_ms,
            new_id,
        )
        return explained(comparison, dict.fromkeys((DOWN, SECURITY), f"{poll.stage}/{poll.code}: {poll.error}"))


def owe(work: Work, config: Config, changes: Sequence[Change]) -> int:
    """Puts what people must be told about these changes into the outbox, in the same transaction. How many."""
    count = 0
    for change in changes:
        numbers, told = work.told(change.alert.id)
        notifications = owed((change,), config, numbers, now_ms(), new_id, told=told)
        work.enqueue(notifications)
        count += len(notifications)
    return count


def new_id() -> str:
    """A UUIDv7 (RFC 9562): unique, and in order of time."""
    return str(uuid7())


def _down(poll: Poll) -> tuple[MetricValue, ...]:
    """`host.down`. A poll that did not take place says nothing about the host, but one that was skipped because the
    login is refused says that nobody watches it.
    """
    refused = (poll.stage, poll.code) == BACK_OFF
    if poll.outcome is PollOutcome.SKIPPED and not refused:
        return ()
    return (MetricValue(DOWN, float(refused or poll.outcome is PollOutcome.FAILED)),)


def _security(poll: Poll) -> tuple[MetricValue, ...]:
    """`host.security`: 1 when somebody may be meddling, until a report comes again; what else fails does not tell."""
    if poll.security:
        return (MetricValue(SECURITY, 1.0),)
    return (MetricValue(SECURITY, 0.0),) if poll.report is not None else ()

"""A FINISHED POLL, top to bottom: rates -> findings -> judge -> what changed -> who is owed a message -> one commit.

Runs in the one thread that owns the journal, so it needs no locks. A poll is stored wholly or not at all, and
with it everything that follows from it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from uuid6 import uuid7

from poller.alerts import compare, explained, periods
from poller.clock import now_ms
from poller.errors import StoreError
from poller.findings import find
from poller.live.already import APART_MS, overtaken, repeats, untold
from poller.model import (
    AnyRule,
    Before,
    Change,
    ChangeKind,
    Comparison,
    Config,
    Event,
    Findings,
    Host,
    MetricValue,
    Needs,
    Poll,
    PollOutcome,
    World,
)
from poller.notify import owed
from poller.poll import BACK_OFF, unstorable
from poller.probe.sight import sight
from poller.probe.values import values
from poller.rules import classified, judge, needs
from poller.store import Journal, Work, unread
from poller.store.hosts import rebooted

_log = logging.getLogger(__name__)
DOWN: Final = "host.down"
SECURITY: Final = "host.security"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one poll meant: its numbers, what changed because of them, and what it found to have happened."""

    poll: Poll
    values: tuple[MetricValue, ...]
    changes: tuple[Change, ...]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one host is judged by, worked out once a round: how far back that looks, and how often each is read."""

    host: Host
    rules: tuple[AnyRule, ...]
    needs: Needs
    periods: Mapping[str, float]


class Intake:
    """Takes the polls of one round into the journal; with `keep` False it only says what it would do."""

    def __init__(self, journal: Journal, config: Config, round_id: str, *, keep: bool) -> None:
        self._journal = journal
        self._config = config
        self._hosts = {host.name: host for host in config.hosts}
        self._judged: dict[str, _Judged] = {}
        self._needs: dict[tuple[int, ...], Needs] = {}
        self._round_id = round_id
        self._keep = keep

    def begin_round(self, round_id: str) -> None:
        """The polls that are taken from now on belong to that round."""
        self._round_id = round_id

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
        """All together; only when there is one that cannot be stored each on its own, which takes longer."""
        try:
            with self._journal.transaction(keep=self._keep, together=True) as work:
                return tuple(self._store(work, poll) for poll in polls)
        except StoreError as error:
            if error.code != "store":  # the database is in trouble, not one of the polls
                raise
            _log.info("%s; each poll of the batch is stored on its own", error.sentence)
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
        judged = self._judged_by(poll.host)
        with work.savepoint():
            before = work.before(poll.host)
            poll = overtaken(before.reading, unread(before, poll))
            found = find(before, poll, judged.host.watch)
            findings = _news(work, before, poll, found.findings)
            if findings.lines:
                findings = replace(findings, lines=classified(judged.rules, findings.lines))
            seen = values(before, poll) + found.values + _pinged(poll) + _down(poll) + _security(poll)
            events = _events(before, poll, findings)
            comparison = _compare(work, judged, poll, seen, findings, events)
            if work.store_poll(poll, seen, self._round_id, findings):
                work.store_comparison(poll.host, comparison)
                _keep_evidence(work, judged.rules, poll, comparison.changes)
                owe(work, self._config, comparison.changes)
        return Taken(poll, seen, comparison.changes, events)

    def _judged_by(self, name: str) -> _Judged:
        known = self._judged.get(name)
        if known is None:
            host = self._hosts[name]
            rules = host.judged
            same = tuple(map(id, rules))  # hosts share them, and to hash a rule takes long
            looks_back = self._needs.get(same)
            if looks_back is None:
                looks_back = self._needs[same] = needs(rules)
            known = self._judged[name] = _Judged(host, rules, looks_back, periods(host, rules))
        return known


def _compare(
    work: Work,
    judged: _Judged,
    poll: Poll,
    seen: Sequence[MetricValue],
    findings: Findings,
    events: Sequence[Event],
) -> Comparison:
    world = World(poll.at_ms, seen, sight(poll, seen), findings.lines, events)
    if judged.needs:
        world = replace(world, history=work.history(poll.host, judged.needs, poll.at_ms))
    comparison = compare(
        poll.host,
        judge(judged.rules, world),
        work.alert_memory(poll.host),
        judged.rules,
        poll.at_ms,
        new_id,
        judged.periods,
    )
    words = f"{poll.stage}/{poll.code}: {poll.error}"
    return explained(comparison, dict.fromkeys((DOWN, SECURITY), words) if poll.stage else {})


def _news(work: Work, before: Before, poll: Poll, findings: Findings) -> Findings:
    """Without what the host told by itself, as it happened."""
    if not repeats(findings, poll.at_ms):
        return findings
    told = work.told_since(poll.host, ("usb_attached", "usb_removed"), before.report_ms - APART_MS)
    return untold(findings, told, poll.at_ms)


def _keep_evidence(work: Work, rules: Sequence[AnyRule], poll: Poll, changes: Sequence[Change]) -> None:
    """What the host was busy with goes to the alerts that began with this poll and whose rules ask for it."""
    if not poll.evidence:
        return
    asking = [rule for rule in rules if rule.evidence]
    for change in changes:
        alert = change.alert
        begins = change.kind in (ChangeKind.OPENED, ChangeKind.FLAPPING) and alert.opened_ms == poll.at_ms
        if begins and any(rule.covers(alert.metric, alert.labels) for rule in asking):
            work.store_evidence(alert.id, poll.evidence)


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


def _events(before: Before, poll: Poll, findings: Findings) -> tuple[Event, ...]:
    """What rules may look at: the findings, and the reboot, which the store notes by itself."""
    if poll.report is None or before.reading is None or poll.report.now.boot_id == before.reading.boot_id:
        return findings.events
    return (*findings.events, rebooted(poll.at_ms, poll.report.now, before.reading.boot_id))


def _pinged(poll: Poll) -> tuple[MetricValue, ...]:
    """The numbers of echo requests, where some were sent; without an answer there is a loss, but no time."""
    if poll.ping is None or not poll.ping.sent:
        return ()
    loss = MetricValue("ping.loss_percent", poll.ping.loss_percent)
    return (loss,) if poll.ping.seconds is None else (MetricValue("ping.seconds", poll.ping.seconds), loss)


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

"""Verdicts, alerts and notifications: from "this value is over that limit" to "this person is owed that mail"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from poller.model.alerting import Contact
from poller.model.evidence import EvidencePart
from poller.model.rule import AnyRule
from poller.model.severity import Severity

Labels = tuple[tuple[str, str], ...]


class Standing(str, Enum):
    """How a value stands to a limit. `BETWEEN` limit and clear keeps what was; `UNKNOWN` suspends."""

    OK = "ok"
    BETWEEN = "between"
    BREACH = "breach"
    UNKNOWN = "unknown"

    __str__ = str.__str__


class Verdict(NamedTuple):
    """One label value held against one rule (a threshold is short for one). `value` is None when it is not known.

    `saw` says what a rule looked at: `cpu.percent 97, load.1m_per_cpu 2.4`. A named tuple because a poll makes dozens
    of them: a frozen dataclass takes three times as long to make.
    """

    metric: str
    labels: Labels
    rule: AnyRule
    standing: Standing
    value: float | None
    saw: str = ""


@dataclass(frozen=True, slots=True)
class LimitState:
    """What is remembered of one limit for one label value: breached since when, how many polls, and if it counts.

    `seen_ms` is when that was last known: what is older than two rounds does not count on.
    """

    metric: str
    labels: Labels
    key: str
    since_ms: int
    polls: int
    active: bool
    seen_ms: int = 0


@dataclass(frozen=True, slots=True)
class Flap:
    """How restless one (metric, labels) is. Bit i of `changes` is 1 when its state changed i polls ago; 20 bits."""

    metric: str
    labels: Labels
    changes: int
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode: from the first active limit on (host, metric, labels) to the moment none is active any more.

    `metric` is the name of the metric, or of the `<rule>`. While it is `flapping` the episode does not end.
    """

    id: str
    host: str
    metric: str
    labels: Labels
    severity: Severity
    value: float
    limit: str
    opened_ms: int
    updated_ms: int
    since_ms: int
    closed_ms: int | None = None
    reason: str = ""
    flapping: bool = False

    @property
    def identity(self) -> tuple[str, str, Labels]:
        return self.host, self.metric, self.labels


class ChangeKind(str, Enum):
    """What can happen to an alert, and the two reasons to tell of it though nothing happened (the last)."""

    OPENED = "opened"
    ROSE = "rose"
    FELL = "fell"
    CLOSED = "closed"
    UNCONFIGURED = "unconfigured"
    FLAPPING = "flapping"
    STEADY = "steady"
    REMINDER = "reminder"
    ESCALATED = "escalated"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an alert, and why. `alert` is the state after it; `notify` names who the threshold tells."""

    kind: ChangeKind
    alert: Alert
    reason: str
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertMemory:
    """What the journal knows of one host's alerts before a poll is judged.

    `gap_ms` is the median time between its last polls, 0 when there were fewer than two.
    """

    states: tuple[LimitState, ...] = ()
    open: tuple[Alert, ...] = ()
    flaps: tuple[Flap, ...] = ()
    gap_ms: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new memory and what changed. `open` holds every alert still open, with its newest value."""

    states: tuple[LimitState, ...] = ()
    open: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = field(default=())
    flaps: tuple[Flap, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing one recipient is owed: a change of an alert, as it was when it happened.

    `id` is unique and goes into the mail, so that a repeated delivery is recognised.
    `number` counts the notifications of one alert to one recipient, from 1.
    """

    id: str
    alert: Alert
    kind: ChangeKind
    recipient: str
    number: int
    at_ms: int
    attempts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A notification in the outbox: owed, or held back for the reason `held`.

    `told`: something about its alert was delivered to this recipient. `over`: the alert has ended by now.
    `channel` is the one to try next, "" the contact's first; not before `retry_ms`.
    """

    notification: Notification
    told: bool = False
    over: bool = False
    acknowledged: bool = False
    held: str = ""
    channel: str = ""
    retry_ms: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """What one contact is to be told by one message, oldest first, with what there is as evidence, by id of the alert.

    A `digest` holds what a quota kept back, over or not. `note` is a sentence of the poller's own to go with it.
    """

    contact: Contact
    notifications: tuple[Notification, ...]
    evidence: Mapping[str, tuple[EvidencePart, ...]] = field(default_factory=lambda: MappingProxyType({}))
    digest: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was accepted: by which channel, for whom, and about which notifications (ids)."""

    id: str
    contact: str
    channel: str
    sent_ms: int
    subject: str
    notifications: tuple[str, ...]
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody takes care: no reminder and no escalation until `until_ms` (None: as long as the alert lasts)."""

    id: str
    alert_id: str
    at_ms: int
    author: str
    comment: str
    until_ms: int | None = None
    ended_ms: int | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of what fits all globs, from `from_ms` to `until_ms`, or to `ended_ms` if that comes first."""

    id: str
    from_ms: int
    until_ms: int
    at_ms: int
    author: str
    comment: str
    host: str = "*"
    metric: str = "*"
    label: str = "*"
    ended_ms: int | None = None
    ended_by: str = ""

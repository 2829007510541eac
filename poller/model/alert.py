"""Verdicts, alerts and notifications: from "this value is over that limit" to "this person is owed that mail"."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from poller.model.settings import Threshold
from poller.model.severity import Severity

Labels = tuple[tuple[str, str], ...]


class Standing(str, Enum):
    """How a value stands to a limit. `BETWEEN` limit and clear keeps what was; `UNKNOWN` suspends."""

    OK = "ok"
    BETWEEN = "between"
    BREACH = "breach"
    UNKNOWN = "unknown"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class Verdict:
    """One value held against one threshold. `value` is None when `standing` is UNKNOWN."""

    metric: str
    labels: Labels
    threshold: Threshold
    standing: Standing
    value: float | None


@dataclass(frozen=True, slots=True)
class LimitState:
    """What is remembered of one limit for one label value: breached since when, how many polls, and if it counts."""

    metric: str
    labels: Labels
    key: str
    since_ms: int
    polls: int
    active: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode: from the first active limit on (host, metric, labels) to the moment none is active any more."""

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

    @property
    def identity(self) -> tuple[str, str, Labels]:
        return self.host, self.metric, self.labels


class ChangeKind(str, Enum):
    OPENED = "opened"
    ROSE = "rose"
    FELL = "fell"
    CLOSED = "closed"
    UNCONFIGURED = "unconfigured"

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
    """What the journal knows of one host's alerts before a poll is judged."""

    states: tuple[LimitState, ...] = ()
    open: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new memory and what changed. `open` holds every alert still open, with its newest value."""

    states: tuple[LimitState, ...] = ()
    open: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = field(default=())


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

"""Rules: what must hold before an alert opens, what they need to look at, and what is there to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from poller.model.alerting import Escalation
from poller.model.findings import LogLine
from poller.model.poll import Event, MetricValue, Sight
from poller.model.severity import Severity
from poller.model.threshold import Hold, Threshold

Labels = tuple[tuple[str, str], ...]


class Expression:
    """A node of a rule's text, as `poller.rules.language` reads it. Frozen, hashable; equal when it means the same."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`<rule>`: an alert of its `name` opens for each label value for which `condition` holds for as long as `hold`.

    It ends when `clear` holds, or when `condition` does no longer (None). `text` and `clear_text` are as written.
    """

    name: str
    condition: Expression
    text: str
    clear: Expression | None = None
    clear_text: str = ""
    hold: Hold = field(default_factory=Hold)
    severity: Severity = Severity.MEDIUM
    notify: tuple[str, ...] = ()
    remind: tuple[float, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    evidence: bool = False
    where: str = ""

    @property
    def metric(self) -> str:
        """What its alerts are named by. No rule can have the name of a metric."""
        return self.name

    @property
    def key(self) -> str:
        """Survives editing of the text: an alert goes on under the new one."""
        return f"rule - {self.severity}"

    def covers(self, metric: str, labels: Labels) -> bool:
        """Whether an alert of that name is its own; which label values there are is decided anew each time."""
        return metric == self.name

    def __str__(self) -> str:
        return " ".join(part for part in (self.text, str(self.hold)) if part)


# A threshold is short for a rule: all that judges and compares takes either.
AnyRule = Threshold | Rule


@dataclass(frozen=True, slots=True)
class Needs:
    """How many seconds back a rule looks: by metric, by name of a log ("*": all), by kind of event."""

    series: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    logs: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    events: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.series or self.logs or self.events)


@dataclass(frozen=True, slots=True)
class Seen:
    """A log line of the past: the poll that brought it (`seen_ms`) and what it says."""

    seen_ms: int
    line: LogLine


@dataclass(frozen=True, slots=True)
class History:
    """What the journal holds of one host, as far back as `Needs` asks, oldest first; the newest poll is not in it.

    `polls_ms` are the instants of the polls in that time that brought a report: a gap in a series is no gap in them.
    """

    series: Mapping[tuple[str, Labels], Sequence[tuple[int, float]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    lines: Sequence[Seen] = ()
    events: Sequence[Event] = ()
    polls_ms: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class World:
    """All that the rules of one host may look at, at one instant: what the newest poll brought, and what was before.

    `sight` says what the newest poll could see; `lines` and `events` are those that it brought.
    """

    now_ms: int
    values: Sequence[MetricValue] = ()
    sight: Sight = field(default_factory=Sight)
    lines: Sequence[LogLine] = ()
    events: Sequence[Event] = ()
    history: History = field(default_factory=History)

"""One attempt to poll one host, what it needed to know from before, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from poller.model.evidence import EvidencePart
from poller.model.report import Reading, Report
from poller.model.severity import Severity


class PollOutcome(str, Enum):
    """`partial`: a report came, but a section of it could not be read."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"

    __str__ = str.__str__


class MetricValue(NamedTuple):
    """A number of the catalogue (`poller.metrics`): its name, its label values, and base units.

    A named tuple because a poll makes a hundred of them: a frozen dataclass takes twice as long to make.
    """

    metric: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if not self.labels:
            return self.metric
        return self.metric + "{" + ",".join(f'{name}="{value}"' for name, value in self.labels) + "}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a poll could see at all: tells "it is gone" from "it could not be read".

    `sections` were read completely; `labels` are the (label name, value) pairs whose rows were there.
    """

    sections: frozenset[str] = frozenset()
    labels: frozenset[tuple[str, str]] = frozenset()


# Every kind of event, in the order in which the documentation lists them.
EVENT_KINDS: Final = (
    "usb_attached", "usb_removed", "device_attached", "device_removed", "mounted", "unmounted", "remounted",
    "listener_new", "listener_gone", "encounter", "login", "logout", "unit_failed", "unit_recovered", "raid_changed",
    "io_error", "filesystem_error", "memory_error", "oom_kill", "link_down", "link_up",
    "first_seen", "rebooted", "back", "clock_skew", "security", "network", "gap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a host or to the poller, kept in the `event` table; `kind` is one of EVENT_KINDS."""

    kind: str
    at_ms: int
    severity: Severity
    details: str


# How long a refusal of sudo is remembered before it is tried again.
SUDO_DENIED_MS: Final = 3_600_000
# For so long no login is tried at a host that refused the last few.
BACK_OFF_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Logins:
    """Logins that a host refused in a row, and the instant before which none is tried again (0: any time)."""

    refused: int = 0
    retry_at_ms: int = 0

    def waits(self, now_ms: int) -> bool:
        """True while none is tried. A clock that was set back does not make it longer than it may be."""
        return 0 < self.retry_at_ms - now_ms <= BACK_OFF_MS


@dataclass(frozen=True, slots=True)
class Before:
    """What the journal remembers of a host: the newest of each section, mounts that hung, the last good address.

    `asked_ms` says when each section was last read (or could not be), `cursors` how far logs were read: texts of the
    probe by "section", or by "logs", name and path, joined with a newline. `open` names the alerts that are open, by
    metric and labels. `failures` came since `report_ms`, the instant of the newest report or answer to a ping (0: never
    any); `host_key` is the one shown then, `trouble` how the newest poll ended (stage/code). `skewed`: people know
    that its clock is wrong.
    """

    reading: Reading | None = None
    stuck: tuple[str, ...] = ()
    address: str | None = None
    failures: int = 0
    sudo_denied_until_ms: int = 0
    logins: Logins = Logins()
    asked_ms: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    cursors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    open: frozenset[tuple[str, tuple[tuple[str, str], ...]]] = frozenset()
    report_ms: int = 0
    host_key: str = ""
    trouble: str = ""
    skewed: bool = False

    def sudo_denied(self, now_ms: int) -> bool:
        """True while sudo, which refused, is left out. A clock that was set back does not make it longer, either."""
        return 0 < self.sudo_denied_until_ms - now_ms <= SUDO_DENIED_MS


@dataclass(frozen=True, slots=True)
class Ping:
    """Echo requests (ICMP) to a host: so many sent and answered; `seconds` on average, None without an answer.

    `error` is what a router or the kernel of this machine said instead of an answer: there is no way to that address.
    """

    address: str
    sent: int
    received: int
    seconds: float | None = None
    error: str = ""

    @property
    def loss_percent(self) -> float:
        """100 as well when there was no way to send one."""
        return 100.0 * (self.sent - self.received) / self.sent if self.sent else 100.0


@dataclass(frozen=True, slots=True)
class Poll:
    """One attempt. `stage`, `code`, `error` and `hint` are empty when a report came.

    `stages` holds seconds per stage; `asked_ms` and `answered_ms` enclose the moment the host's clock was read.
    `heard_ms` is when the host said anything by itself for the last time before that, 0: it was not watched.
    A host that is only pinged gives no report: it answered when the outcome is ok.
    """

    id: str
    host: str
    at_ms: int
    outcome: PollOutcome
    stage: str = ""
    code: str = ""
    error: str = ""
    hint: str = ""
    security: bool = False
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    asked_ms: int = 0
    answered_ms: int = 0
    address: str = ""
    host_key: str = ""
    sent_bytes: int = 0
    received_bytes: int = 0
    sudo_denied: bool = False
    report: Report | None = None
    ping: Ping | None = None
    evidence: tuple[EvidencePart, ...] = ()
    heard_ms: int = 0


class Deadline:
    """A moment on the monotonic clock by which something must be done. Steps of the wall clock do not move it."""

    __slots__ = ("at",)

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at


class Stopwatch:
    """Measures how long each stage of one poll took, and knows which one is going on."""

    __slots__ = ("seconds", "stage")

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.stage = ""

    def measure(self, stage: str) -> _Measure:
        """`with` adds the time of its block to `stage`, whether it succeeds or not."""
        return _Measure(self, stage)


class _Measure:
    """A class, because a generator for each of the ten stages of a poll would cost three times as much."""

    __slots__ = ("_stage", "_start", "_stopwatch")

    def __init__(self, stopwatch: Stopwatch, stage: str) -> None:
        self._stopwatch = stopwatch
        self._stage = stage

    def __enter__(self) -> None:
        self._stopwatch.stage = self._stage
        self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        seconds = self._stopwatch.seconds
        seconds[self._stage] = seconds.get(self._stage, 0.0) + time.monotonic() - self._start

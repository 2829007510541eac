"""What is known now, read without polling: for `poller status`, `poller metrics` and whoever shows a table of hosts.

Each function opens a connection of its own that can only read, looks once and closes it; a writer may be at work.
All raise StoreError when there is no database yet or it cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poller.metrics import CATALOGUE
from poller.model import POLLER, Alert, MetricValue
from poller.store.alerts import alert_of
from poller.store.database import reading
from poller.store.queue import UNCOPIED
from poller.store.sql import statements


@dataclass(frozen=True, slots=True)
class HostStatus:
    """A host as last seen. `outcome` is "" and `at_ms` None before the first poll.

    `report_ms` is the newest poll that brought a report: the percentages and load are of that moment.
    `failures` counts failed polls in a row. `next_ms` is when the next poll is due, None when not known.
    """

    name: str
    outcome: str
    stage: str
    code: str
    error: str
    at_ms: int | None
    seconds: float
    report_ms: int | None
    failures: int
    cpu_percent: float | None
    memory_percent: float | None
    load_1m_per_cpu: float | None
    disk_percent: float | None
    disk_mountpoint: str | None
    booted_ms: int | None
    next_ms: int | None
    alerts: tuple[Alert, ...]

    def overdue(self, now_ms: int) -> bool:
        """True when the next poll should have come already."""
        return self.next_ms is not None and self.next_ms < now_ms


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """A round. `ended_ms` is None while it runs and when it was killed; `stopped_by` is a signal or 0."""

    id: str
    kind: str
    started_ms: int
    ended_ms: int | None
    hosts: int
    ok: int
    partial: int
    failed: int
    skipped: int
    stopped_by: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that are owed: how many, the oldest, and how often the most unlucky one was tried."""

    owed: int
    oldest_ms: int | None
    attempts: int


def hosts(path: Path, intervals: Mapping[str, float] | None = None) -> tuple[HostStatus, ...]:
    """Every host ever polled, by name. `intervals` (seconds by host, from the configuration) gives `next_ms`."""
    intervals = intervals or {}
    with reading(path) as connection:
        connection.execute("BEGIN")
        rows = connection.execute(statements()["host_status"]).fetchall()
        alerts = connection.execute(statements()["open_alerts"]).fetchall()
    firing: dict[str, list[Alert]] = {}
    for host, *row in alerts:
        firing.setdefault(host, []).append(alert_of(host, row))
    return tuple(_status(row, firing.get(row[0], []), intervals.get(row[0])) for row in rows)


def own_alerts(path: Path) -> tuple[Alert, ...]:
    """Open alerts of the poller itself, the worst first."""
    with reading(path) as connection:
        rows = connection.execute(statements()["find_open_alerts"], {"host": POLLER}).fetchall()
    return tuple(sorted((alert_of(POLLER, row) for row in rows), key=lambda alert: (-alert.severity, alert.opened_ms)))


def _status(row: tuple[Any, ...], alerts: list[Alert], interval: float | None) -> HostStatus:
    name, first_seen_ms, outcome, stage, code, error, at_ms, seconds, report_ms, failures = row[:10]
    cpu, memory, load, disk, mountpoint, booted_ms = row[10:]
    return HostStatus(
        name=name,
        outcome=outcome or "",
        stage=stage or "",
        code=code or "",
        error=error or "",
        at_ms=at_ms,
        seconds=seconds or 0.0,
        report_ms=report_ms,
        failures=failures or 0,
        cpu_percent=cpu,
        memory_percent=memory,
        load_1m_per_cpu=load,
        disk_percent=disk,
        disk_mountpoint=mountpoint,
        booted_ms=booted_ms,
        next_ms=None if interval is None else int((at_ms or first_seen_ms) + interval * 1000),
        alerts=tuple(sorted(alerts, key=lambda alert: (-alert.severity, alert.opened_ms))),
    )


def latest(path: Path, host: str) -> tuple[MetricValue, ...]:
    """Every metric of the newest report of a host, in the order of the catalogue; empty for an unknown host."""
    order = {name: place for place, name in enumerate(CATALOGUE)}
    with reading(path) as connection:
        rows = connection.execute(statements()["latest_values"], {"host": host}).fetchall()
    return tuple(
        MetricValue(metric, float(value), ((label, key),) if label else ())
        for metric, label, key, value in sorted(rows, key=lambda row: (order.get(row[0], len(order)), row[2]))
    )


def last_round(path: Path, kind: str = "full") -> RoundStatus | None:
    """The round that began last; "" as `kind` counts those over selected hosts too."""
    with reading(path) as connection:
        row = connection.execute(statements()["last_round"], {"kind": kind}).fetchone()
    return RoundStatus(*row) if row else None


def backlog(path: Path) -> Backlog:
    """What the outbox still owes."""
    with reading(path) as connection:
        return Backlog(*connection.execute(statements()["backlog"]).fetchone())


@dataclass(frozen=True, slots=True)
class ShippingStatus:
    """How far the archive is behind. `waiting` polls are not there yet, the oldest of `oldest_ms`.

    `enabled` is False without an archive. `shipped_ms`: it last took something or had everything. `away_since_ms`,
    `code` and `error`: since when and why it takes nothing; None and "" when it did last time. `rejected`: what it
    refused for good. `uncopied_ms`: what is older was there before the archive, and nobody has copied it.
    """

    enabled: bool
    waiting: int
    oldest_ms: int | None
    shipped_ms: int | None
    away_since_ms: int | None
    code: str
    error: str
    rejected: int
    uncopied_ms: int | None


def shipping(path: Path) -> ShippingStatus:
    """What waits for the archive, and how that is."""
    with reading(path) as connection:
        connection.execute("BEGIN")
        enabled, shipped_ms, away_since_ms, code, error = connection.execute(statements()["archive_state"]).fetchone()
        _, waiting, oldest_ms, rejected = connection.execute(statements()["waiting"]).fetchone()
        uncopied = connection.execute(statements()["last_done"], {"task": UNCOPIED}).fetchone()
    return ShippingStatus(
        bool(enabled), waiting, oldest_ms, shipped_ms, away_since_ms, code, error, rejected,
        uncopied[0] if uncopied and enabled else None,
    )  # fmt: skip

"""What is remembered of limits and alerts, read before a poll is judged and written after it."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from poller.model import Alert, AlertMemory, Comparison, Flap, LimitState, Notification, Severity
from poller.store.gaps import gap_ms
from poller.store.hosts import storable
from poller.store.sql import statements

Labels = tuple[tuple[str, str], ...]
Row = dict[str, Any]


@functools.lru_cache(maxsize=4096)
def labels_text(labels: Labels) -> str:
    """A JSON object, in the order given; `{}` without labels."""
    return json.dumps(dict(labels), ensure_ascii=False)


@functools.lru_cache(maxsize=4096)
def parse_labels(text: str) -> Labels:
    return tuple(json.loads(text).items())


def open_key(alert: Alert) -> str:
    """One text per (host, metric, labels): JSON, so that no two of them read the same."""
    return json.dumps([alert.host, alert.metric, dict(alert.labels)], ensure_ascii=False)


def remembered(connection: sqlite3.Connection, host: str) -> AlertMemory:
    """Limits being counted, how restless things are and alerts open for one host; how far apart its polls are."""
    states = connection.execute(statements()["find_limit_states"], {"host": host}).fetchall()
    alerts = connection.execute(statements()["find_open_alerts"], {"host": host}).fetchall()
    flaps = connection.execute(statements()["find_flaps"], {"host": host}).fetchall()
    return AlertMemory(
        states=tuple(
            LimitState(metric, parse_labels(labels), key, since_ms, polls, bool(active), seen_ms)
            for metric, labels, key, since_ms, polls, active, seen_ms in states
        ),
        open=tuple(alert_of(host, row) for row in alerts),
        flaps=tuple(
            Flap(metric, parse_labels(labels), changes, bool(flapping)) for metric, labels, changes, flapping in flaps
        ),
        gap_ms=gap_ms(connection, host),
    )


def open_names(connection: sqlite3.Connection, host: str) -> frozenset[tuple[str, Labels]]:
    """Metric (or rule) and labels of each open alert of a host."""
    rows = connection.execute(statements()["open_names"], {"host": host}).fetchall()
    return frozenset((metric, parse_labels(labels)) for metric, labels in rows)


def alert_of(host: str, row: Sequence[Any]) -> Alert:
    """The alert of a row whose columns stand in the order of `find_open_alerts`."""
    number, metric, labels, severity, value, limit, opened_ms, updated_ms, since_ms, closed_ms, reason, flapping = row
    return Alert(
        id=number,
        host=host,
        metric=metric,
        labels=parse_labels(labels),
        severity=Severity.parse(severity),
        value=value,
        limit=limit,
        opened_ms=opened_ms,
        updated_ms=updated_ms,
        since_ms=since_ms,
        closed_ms=closed_ms,
        reason=reason,
        flapping=bool(flapping),
    )


def store_comparison(connection: sqlite3.Connection, host_id: int, memory: AlertMemory, comparison: Comparison) -> None:
    """Writes what differs from `memory`. Closing goes first: it frees the identity for a new episode."""
    states = _states(host_id, memory), _states(host_id, comparison)
    _store(connection, *states, drop="drop_limit_state", put="put_limit_state")
    _store(connection, _flaps(host_id, memory), _flaps(host_id, comparison), drop="drop_flap", put="put_flap")
    alerts = {change.alert.id: change.alert for change in comparison.changes}
    alerts |= {alert.id: alert for alert in comparison.open}
    same = set(memory.open)
    news = sorted((alert for alert in alerts.values() if alert not in same), key=lambda alert: alert.closed_ms is None)
    if news:
        connection.executemany(statements()["put_alert"], [_alert_row(host_id, alert) for alert in news])


# What tells the rows of one table apart -> the whole row.
Remembered = Mapping[tuple[Any, ...], Row]


def _store(connection: sqlite3.Connection, old: Remembered, new: Remembered, *, drop: str, put: str) -> None:
    gone = [row for key, row in old.items() if key not in new]
    changed = [row for key, row in new.items() if old.get(key) != row]
    if gone:
        connection.executemany(statements()[drop], gone)
    if changed:
        connection.executemany(statements()[put], changed)


def _states(host_id: int, memory: AlertMemory | Comparison) -> Remembered:
    return {
        (state.metric, state.labels, state.key): {
            "host_id": host_id,
            "metric": state.metric,
            "labels": labels_text(state.labels),
            "limit_key": state.key,
            "since_ms": state.since_ms,
            "polls": state.polls,
            "active": state.active,
            "seen_ms": state.seen_ms,
        }
        for state in memory.states
    }


def _flaps(host_id: int, memory: AlertMemory | Comparison) -> Remembered:
    return {
        (flap.metric, flap.labels): {
            "host_id": host_id,
            "metric": flap.metric,
            "labels": labels_text(flap.labels),
            "changes": flap.changes,
            "flapping": flap.flapping,
        }
        for flap in memory.flaps
    }


def _alert_row(host_id: int, alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "open_key": open_key(alert) if alert.closed_ms is None else None,
        "host_id": host_id,
        "metric": alert.metric,
        "labels": labels_text(alert.labels),
        **_state_of(alert),
    }


def _state_of(alert: Alert) -> dict[str, Any]:
    """The part of an alert that changes while it lasts."""
    return {
        "severity": str(alert.severity),
        "value": alert.value,
        "limit_text": alert.limit,
        "since_ms": alert.since_ms,
        "opened_ms": alert.opened_ms,
        "updated_ms": alert.updated_ms,
        "closed_ms": alert.closed_ms,
        "reason": storable(alert.reason),
        "flapping": alert.flapping,
    }


def notification_row(notification: Notification) -> dict[str, Any]:
    """A row of `notification`, with the alert as it was when it happened."""
    return {
        "id": notification.id,
        "alert_id": notification.alert.id,
        "kind": notification.kind.value,
        "recipient": notification.recipient,
        "number": notification.number,
        "at_ms": notification.at_ms,
        **_state_of(notification.alert),
    }

"""What is remembered of limits and alerts, read before a poll is judged and written after it."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from poller.model import Alert, AlertMemory, Comparison, LimitState, Notification, Severity
from poller.store.hosts import storable
from poller.store.sql import statements

Labels = tuple[tuple[str, str], ...]


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
    """Limits being counted and alerts open for one host."""
    states = connection.execute(statements()["find_limit_states"], {"host": host}).fetchall()
    alerts = connection.execute(statements()["find_open_alerts"], {"host": host}).fetchall()
    return AlertMemory(
        states=tuple(
            LimitState(metric, parse_labels(labels), key, since_ms, polls, bool(active))
            for metric, labels, key, since_ms, polls, active in states
        ),
        open=tuple(alert_of(host, row) for row in alerts),
    )


def alert_of(host: str, row: Sequence[Any]) -> Alert:
    """The alert of a row whose columns stand in the order of `find_open_alerts`."""
    number, metric, labels, severity, value, limit, opened_ms, updated_ms, since_ms, closed_ms, reason = row
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
    )


def store_comparison(connection: sqlite3.Connection, host_id: int, memory: AlertMemory, comparison: Comparison) -> None:
    """Writes what differs from `memory`. Closing goes first: it frees the identity for a new episode."""
    _store_states(connection, host_id, set(memory.states), comparison.states)
    alerts = {change.alert.id: change.alert for change in comparison.changes}
    alerts |= {alert.id: alert for alert in comparison.open}
    same = set(memory.open)
    news = sorted((alert for alert in alerts.values() if alert not in same), key=lambda alert: alert.closed_ms is None)
    if news:
        connection.executemany(statements()["put_alert"], [_alert_row(host_id, alert) for alert in news])


def _store_states(
    connection: sqlite3.Connection, host_id: int, old: set[LimitState], states: Iterable[LimitState]
) -> None:
    rows = {_state_key(host_id, state): state for state in states}
    gone = [_state_key(host_id, state) for state in old if _state_key(host_id, state) not in rows]
    new = [(key, state) for key, state in rows.items() if state not in old]
    names = ("host_id", "metric", "labels", "limit_key")
    if gone:
        connection.executemany(statements()["drop_limit_state"], [dict(zip(names, key, strict=True)) for key in gone])
    if new:
        connection.executemany(
            statements()["put_limit_state"],
            [
                dict(zip(names, key, strict=True), since_ms=state.since_ms, polls=state.polls, active=state.active)
                for key, state in new
            ],
        )


def _state_key(host_id: int, state: LimitState) -> tuple[int, str, str, str]:
    return host_id, state.metric, labels_text(state.labels), state.key


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

"""What people were told and are owed about alerts, and what is held back: read and written inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from poller.model import ChangeKind, EvidencePart, Notification
from poller.store.alerts import notification_row
from poller.store.hosts import storable
from poller.store.sql import statements


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification and what became of it. `state` is owed, held, delivered, failed or suppressed; `why` says the
    reason of held and suppressed ones, `error` what the last attempt that failed brought.

    `number` counts what this recipient gets about this alert; `channel` delivered it, or is the next to be tried.
    """

    recipient: str
    kind: ChangeKind
    number: int
    at_ms: int
    state: str
    done_ms: int | None = None
    why: str = ""
    channel: str = ""
    error: str = ""


def enqueue(connection: sqlite3.Connection, notifications: Sequence[Notification]) -> None:
    if notifications:
        rows = [notification_row(notification) for notification in notifications]
        connection.executemany(statements()["add_notification"], rows)


def told(connection: sqlite3.Connection, alert_id: str) -> tuple[dict[str, int], frozenset[str]]:
    rows = connection.execute(statements()["told"], {"alert_id": alert_id}).fetchall()
    return {name: number for name, number, _ in rows}, frozenset(name for name, _, told in rows if told)


def notified(connection: sqlite3.Connection, alert_ids: Iterable[str]) -> dict[str, list[Notice]]:
    """By alert, oldest first; every id asked for is in the answer."""
    found: dict[str, list[Notice]] = {number: [] for number in alert_ids}
    rows = connection.execute(statements()["notified"], {"alert_ids": json.dumps(list(found))}).fetchall()
    for alert_id, recipient, kind, *rest in rows:
        found[alert_id].append(Notice(recipient, ChangeKind(kind), *rest))
    return found


def hold_news(connection: sqlite3.Connection, hosts: Iterable[str], metric: str, since_ms: int, why: str) -> int:
    rows = [{"host": host, "metric": metric, "since_ms": since_ms, "why": why} for host in hosts]
    return connection.executemany(statements()["hold_news"], rows).rowcount if rows else 0


def release_held(connection: sqlite3.Connection, now_ms: int, why: str) -> tuple[int, int]:
    owed = connection.execute(statements()["release_held"], {"why": why}).rowcount
    return owed, connection.execute(statements()["suppress_held"], {"now_ms": now_ms, "why": why}).rowcount


def store_evidence(connection: sqlite3.Connection, alert_id: str, parts: Sequence[EvidencePart]) -> None:
    if parts:
        rows = [
            {"alert_id": alert_id, "part": part.part, "at_ms": part.at_ms, "content": storable(part.text)}
            for part in parts
        ]
        connection.executemany(statements()["put_evidence"], rows)


def evidence(connection: sqlite3.Connection, alert_ids: Iterable[str]) -> Mapping[str, tuple[EvidencePart, ...]]:
    """What there is, by alert, in the order of the names of its parts."""
    rows = connection.execute(statements()["find_evidence"], {"alert_ids": json.dumps(list(alert_ids))}).fetchall()
    found: dict[str, tuple[EvidencePart, ...]] = {}
    for alert_id, *part in rows:
        found[alert_id] = (*found.get(alert_id, ()), EvidencePart(*part))
    return found

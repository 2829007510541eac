"""Alerts and what people do about them, for the command line: each function opens the journal, looks or writes, and
closes it; a poller may be at work beside it.

All raise StoreError when there is no journal yet or it cannot be used. What is written is shipped like the rest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poller.clock import now_ms as clock_ms
from poller.errors import UsageError
from poller.model import Acknowledgement, Alert, EvidencePart, Silence
from poller.store import notices
from poller.store.alerts import alert_of, parse_labels
from poller.store.database import reading
from poller.store.gaps import gaps
from poller.store.hosts import storable
from poller.store.journal import Journal
from poller.store.notices import Notice
from poller.store.sql import statements


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """An alert, and the acknowledgement in force. So many `notifications` were delivered; `untold` says why others were
    not: the reasons of what is held back or was suppressed, and the errors of what was given up.

    `gap_ms` is the time between two polls of the host, 0 when not known; `evidence` the parts that there are.
    """

    alert: Alert
    acknowledgement: Acknowledgement | None
    notifications: int
    gap_ms: int
    evidence: tuple[str, ...]
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counting:
    """A limit that is breached but does not count yet: since when, for how many polls; `seen_ms` it was last known."""

    host: str
    metric: str
    labels: tuple[tuple[str, str], ...]
    limit_key: str
    since_ms: int
    polls: int
    seen_ms: int


def alerts(
    path: Path, *, since_ms: int | None = None, everything: bool = False, now_ms: int | None = None
) -> list[AlertStatus]:
    """Open alerts, oldest first; with `since_ms` those that opened since then. `everything`: also what is over, with
    `since_ms` all that was open at any time since then.
    """
    since = {"since_ms": -1 if since_ms is None else since_ms, "everything": everything}
    with reading(path) as connection:
        connection.execute("BEGIN")
        rows = connection.execute(statements()["alerts_since"], since).fetchall()
        found = [alert_of(host, row) for host, *row in rows]
        return _with_everything(connection, found, clock_ms() if now_ms is None else now_ms)


def _with_everything(connection: sqlite3.Connection, found: Sequence[Alert], now_ms: int) -> list[AlertStatus]:
    given = {"alert_ids": json.dumps([alert.id for alert in found]), "now_ms": now_ms}

    def ask(statement: str) -> list[tuple[Any, ...]]:
        return connection.execute(statements()[statement], given).fetchall()

    taken = {row[1]: Acknowledgement(*row) for row in ask("acknowledgements_of")}
    delivered: dict[str, int] = {}
    untold: dict[str, set[str]] = {}
    for alert_id, state, why, count in ask("tellings_of"):
        if state == "delivered":
            delivered[alert_id] = delivered.get(alert_id, 0) + count
        elif why:
            untold.setdefault(alert_id, set()).add(why)
    parts: dict[str, tuple[str, ...]] = {}
    for alert_id, part in ask("evidence_of"):
        parts[alert_id] = (*parts.get(alert_id, ()), part)
    between = gaps(connection)
    return [
        AlertStatus(
            alert,
            taken.get(alert.id),
            delivered.get(alert.id, 0),
            between.get(alert.host, 0),
            parts.get(alert.id, ()),
            tuple(sorted(untold.get(alert.id, ()))),
        )
        for alert in found
    ]


def pending(path: Path) -> list[Counting]:
    """By host, metric and labels."""
    with reading(path) as connection:
        rows = connection.execute(statements()["limits_counting"]).fetchall()
    return [Counting(host, metric, parse_labels(labels), *rest) for host, metric, labels, *rest in rows]


def evidence(path: Path, alert_id: str) -> tuple[EvidencePart, ...]:
    """What the host was busy with when it opened; () when nobody asked it."""
    with reading(path) as connection:
        return notices.evidence(connection, [alert_id]).get(alert_id, ())


def notifications(path: Path, alert_id: str) -> list[Notice]:
    """Everything people were told of it, will be told, or were not, oldest first."""
    with reading(path) as connection:
        return notices.notified(connection, [alert_id])[alert_id]


def acknowledgements(path: Path, alert_id: str) -> list[Acknowledgement]:
    """All there ever were of it, oldest first."""
    with reading(path) as connection:
        rows = connection.execute(statements()["all_acknowledgements"], {"alert_id": alert_id}).fetchall()
    return [Acknowledgement(*row) for row in rows]


def acknowledge(path: Path, acknowledgement: Acknowledgement) -> None:
    """From its `at_ms` on it takes the place of those before it. UsageError when that alert is not open (any more)."""
    values = {
        "id": acknowledgement.id,
        "alert_id": acknowledgement.alert_id,
        "at_ms": acknowledgement.at_ms,
        "author": storable(acknowledgement.author),
        "comment": storable(acknowledgement.comment),
        "until_ms": acknowledgement.until_ms,
    }
    with _writing(path, acknowledgement.at_ms) as connection:
        row = connection.execute(statements()["is_open"], {"alert_id": acknowledgement.alert_id}).fetchone()
        if row is None or not row[0]:
            what = "there is no alert" if row is None else "it is over: alert"
            raise UsageError(f"{what} {acknowledgement.alert_id}", "`poller alerts` shows those that are open")
        _end_acknowledgements(connection, acknowledgement.alert_id, acknowledgement.author, acknowledgement.at_ms)
        connection.execute(statements()["add_acknowledgement"], values)


def end_acknowledgement(path: Path, alert_id: str, by: str, now_ms: int) -> bool:
    """Whether there was one in force."""
    with _writing(path, now_ms) as connection:
        return _end_acknowledgements(connection, alert_id, by, now_ms) > 0


def _end_acknowledgements(connection: sqlite3.Connection, alert_id: str, by: str, now_ms: int) -> int:
    values = {"alert_id": alert_id, "by": storable(by), "now_ms": now_ms}
    return connection.execute(statements()["end_acknowledgements"], values).rowcount


def silences(path: Path, now_ms: int, *, everything: bool = False) -> list[Silence]:
    """In force or to come, by when they begin; `everything`: also those that are over."""
    with reading(path) as connection:
        rows = connection.execute(statements()["all_silences"], {"since_ms": -1 if everything else now_ms}).fetchall()
    found = [Silence(*row) for row in rows]
    return [silence for silence in found if everything or silence.ended_ms is None]


def add_silence(path: Path, silence: Silence) -> None:
    values = {
        "id": silence.id,
        "host": storable(silence.host),
        "metric": storable(silence.metric),
        "label": storable(silence.label),
        "from_ms": silence.from_ms,
        "until_ms": silence.until_ms,
        "at_ms": silence.at_ms,
        "author": storable(silence.author),
        "comment": storable(silence.comment),
    }
    with _writing(path, silence.at_ms) as connection:
        connection.execute(statements()["add_silence"], values)


def end_silence(path: Path, silence_id: str, by: str, now_ms: int) -> bool:
    """Whether it was in force or to come. It stays on record."""
    with _writing(path, now_ms) as connection:
        values = {"id": silence_id, "by": storable(by), "now_ms": now_ms}
        return connection.execute(statements()["end_silence"], values).rowcount > 0


@contextmanager
def _writing(path: Path, now_ms: int) -> Iterator[sqlite3.Connection]:
    """One transaction on a journal that there is already."""
    with reading(path):
        pass  # to make one is not for people who only want to say something about an alert
    with Journal.open(path, now_ms=now_ms) as journal:
        queue = journal.queue()
        with queue.writing():
            yield queue.connection

"""The outbox: notifications that are owed or held back, oldest first, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poller.clock import now_ms as clock_ms
from poller.model import ChangeKind, EvidencePart, Message, Notification, Pending, Silence
from poller.store import notices
from poller.store.alerts import alert_of
from poller.store.database import immediate
from poller.store.faults import translated
from poller.store.hosts import storable
from poller.store.lock import OUTBOX, LockFile
from poller.store.sql import statements


class JournalOutbox:
    """Implements `Outbox`. One process delivers at a time, so that nobody is told twice; its lock dies with it.

    It is held from `pending` until all that was pending is done with for good, or to `close`.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, now_ms: Callable[[], int] = clock_ms) -> None:
        self._connection = connection
        self._path = path
        self._now_ms = now_ms
        self._lock: LockFile | None = None
        self._pending: set[str] = set()

    def pending(self) -> Sequence[Pending]:
        if self._lock is None:
            lock = LockFile(self._path)
            if not lock.take(OUTBOX):
                lock.close()
                return ()
            self._lock = lock
        with translated(self._path):
            rows = self._connection.execute(statements()["pending"], {"now_ms": self._now_ms()}).fetchall()
        self._pending = {row[0] for row in rows}
        self._release_when_done()
        return tuple(_pending(row) for row in rows)

    def evidence(self, alert_ids: Sequence[str]) -> Mapping[str, tuple[EvidencePart, ...]]:
        with translated(self._path):
            return notices.evidence(self._connection, alert_ids)

    def silences(self, now_ms: int) -> Sequence[Silence]:
        with translated(self._path):
            rows = self._connection.execute(statements()["silences_in_force"], {"now_ms": now_ms}).fetchall()
        return tuple(Silence(*row) for row in rows)

    def sent_since(self, since_ms: int) -> Mapping[str, int]:
        with translated(self._path):
            return dict(self._connection.execute(statements()["sent_since"], {"since_ms": since_ms}).fetchall())

    def last_sent(self) -> Mapping[str, int]:
        with translated(self._path):
            return dict(self._connection.execute(statements()["last_sent"]).fetchall())

    def delivered(self, message: Message) -> None:
        """Stored at once: what was accepted by a mail server must not be sent again."""
        row = {
            "id": message.id,
            "contact": message.contact,
            "channel": message.channel,
            "sent_ms": message.sent_ms,
            "subject": storable(message.subject),
            "digest": message.digest,
        }
        done = {"now_ms": message.sent_ms, "channel": message.channel, "message_id": message.id}
        with self._transaction():
            self._connection.execute(statements()["add_message"], row)
            self._each("delivered", message.notifications, **done)
        self._done(message.notifications)

    def failed(self, ids: Sequence[str], error: str, now_ms: int, *, channel: str, retry_ms: int | None) -> None:
        values: dict[str, Any] = {"error": storable(error), "channel": channel}
        with self._transaction():
            if retry_ms is None:
                self._each("give_up", ids, now_ms=now_ms, **values)
            else:
                self._each("try_again", ids, retry_ms=retry_ms, **values)
        if retry_ms is None:
            self._done(ids)

    def hold(self, ids: Sequence[str], why: str) -> None:
        with self._transaction():
            self._each("hold", ids, why=why)

    def release(self, ids: Sequence[str]) -> None:
        with self._transaction():
            self._each("release", ids)

    def suppress(self, ids: Sequence[str], why: str, now_ms: int) -> None:
        with self._transaction():
            self._each("suppress", ids, why=why, now_ms=now_ms)
        self._done(ids)

    def close(self) -> None:
        """Lets other processes deliver, until `pending` is asked again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _each(self, statement: str, ids: Sequence[str], **values: Any) -> None:
        if ids:
            self._connection.executemany(statements()[statement], [{"id": number, **values} for number in ids])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self._path), immediate(self._connection):
            yield

    def _done(self, ids: Sequence[str]) -> None:
        self._pending -= set(ids)
        self._release_when_done()

    def _release_when_done(self) -> None:
        if not self._pending:
            self.close()


def _pending(row: tuple[Any, ...]) -> Pending:
    """A row of the statement `pending`."""
    number, alert_id, host, *rest = row
    alert = alert_of(host, [alert_id, *rest[:11]])
    kind, recipient, count, at_ms, attempts, error, told, over, acknowledged, why, channel, retry_ms = rest[11:]
    return Pending(
        Notification(number, alert, ChangeKind(kind), recipient, count, at_ms, attempts, error),
        told=bool(told),
        over=bool(over),
        acknowledged=bool(acknowledged),
        held=why,
        channel=channel,
        retry_ms=retry_ms,
    )

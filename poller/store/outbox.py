"""The outbox: notifications that are owed, oldest first, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poller.model import ChangeKind, Notification
from poller.store.alerts import alert_of
from poller.store.database import immediate
from poller.store.faults import translated
from poller.store.hosts import storable
from poller.store.lock import OUTBOX, LockFile
from poller.store.sql import statements


class JournalOutbox:
    """Implements `Outbox`. One process delivers at a time, so that nobody is told twice; its lock dies with it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock: LockFile | None = None
        self._pending: set[str] = set()

    def owed(self) -> Sequence[Notification]:
        """What is owed, oldest first; nothing while another process is delivering."""
        if self._lock is None:
            lock = LockFile(self._path)
            if not lock.take(OUTBOX):
                lock.close()
                return ()
            self._lock = lock
        with translated(self._path):
            rows = self._connection.execute(statements()["owed"]).fetchall()
        self._pending = {row[0] for row in rows}
        self._release_when_done()
        return tuple(_notification(row) for row in rows)

    def delivered(self, ids: Sequence[str], now_ms: int) -> None:
        """Stored at once: what was accepted by a mail server must not be sent again."""
        with self._transaction():
            self._connection.executemany(
                statements()["delivered"], [{"id": number, "now_ms": now_ms} for number in ids]
            )
        self._answered(ids)

    def failed(self, ids: Sequence[str], error: str, *, retry: bool, now_ms: int) -> None:
        """Keeps them for the next round, or gives them up with the reason.

        Every round tries everything again: what waited longer than the rest would arrive in the wrong order.
        """
        with self._transaction():
            for number in ids:
                values: dict[str, Any] = {"id": number, "error": storable(error)}
                if retry:
                    self._connection.execute(statements()["try_again"], values)
                else:
                    self._connection.execute(statements()["give_up"], values | {"now_ms": now_ms})
        self._answered(ids)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self._path), immediate(self._connection):
            yield

    def _answered(self, ids: Sequence[str]) -> None:
        self._pending -= set(ids)
        self._release_when_done()

    def _release_when_done(self) -> None:
        if not self._pending:
            self.close()

    def close(self) -> None:
        """Lets other processes deliver."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _notification(row: tuple[Any, ...]) -> Notification:
    """A row of the statement `owed`."""
    number, alert_id, host, *rest = row
    kind, recipient, count, at_ms, attempts, error = rest[10:]
    alert = alert_of(host, [alert_id, *rest[:10]])
    return Notification(number, alert, ChangeKind(kind), recipient, count, at_ms, attempts, error)

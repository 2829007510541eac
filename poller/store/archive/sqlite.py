"""An archive in an SQLite file: a second file, or the journal itself as the other end of a copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from poller.errors import StoreError
from poller.model import Deadline
from poller.model.contracts import Condition, Question
from poller.store.archive.attached import Attached
from poller.store.archive.sqlite_faults import translated
from poller.store.archive.statements import deletion, on_conflict, select
from poller.store.database import BUSY_SECONDS, connect_writer, keep_pages, reading
from poller.store.lock import SCHEMA, LockFile
from poller.store.migrate import check, migrate, recorded
from poller.store.prune import empty_log, give_back
from poller.store.sql import migrations

_PAGES_AT_ONCE: Final = 2000


class SqliteArchive:
    """Implements `Archive` on a connection that it does not own unless `open` made it."""

    dialect: Final[Literal["sqlite", "mysql"]] = "sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.place = f"sqlite:{path}"
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path, now_ms: int) -> SqliteArchive:
        """Makes the file when it is missing and brings its schema up to date, after a copy. Not its folder: an
        archive on a disk that is not mounted is away, it does not begin again below the mount point."""
        if not path.parent.is_dir():
            raise StoreError(f"{path.parent}: there is no such folder", "is its disk mounted?", code="away")
        with translated(path), LockFile(path) as lock:
            if not lock.wait(SCHEMA, Deadline(BUSY_SECONDS)):  # each opening takes it for a moment
                raise StoreError(f"{path}: another poller is upgrading it", code="away")
            connection = connect_writer(path)
            keep_pages(connection)
            try:
                migrate(connection, path, now_ms)
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    @classmethod
    @contextmanager
    def reading(cls, path: Path) -> Iterator[SqliteArchive]:
        """One that cannot be written, for as long as the block lasts. StoreError when it is not there, or older."""
        with reading(path) as connection:
            archive = cls(connection, path)
            archive.check()
            yield archive

    def check(self) -> int:
        with translated(self._path):
            applied = recorded(self._connection, self._path)
        check(applied, migrations(), self._path)
        if len(applied) < len(migrations()):
            raise StoreError(
                f"{self._path}: this database has schema {len(applied)}, this poller needs {len(migrations())}",
                "open it once with this poller: `poller db upgrade` with a config.xml whose journal it is",
                code="older" if applied else "absent",
            )
        return len(applied)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Nothing written inside is queued as news for another archive: it is history that comes from one."""
        with translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                (enabled,) = self._connection.execute("SELECT enabled FROM archive_state").fetchone()
                self._queue(enabled, on=False)
                yield
                self._queue(enabled, on=True)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _queue(self, enabled: int, *, on: bool) -> None:
        if enabled:
            self._connection.execute("UPDATE archive_state SET enabled = ?", (int(on),))

    def find(self, question: Question) -> list[tuple[Any, ...]]:
        text, values = select(question)
        with translated(self._path):
            return self._connection.execute(text, values).fetchall()

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with translated(self._path):
            return self._connection.execute(text).fetchall()

    def execute(self, text: str) -> int:
        with translated(self._path):
            return self._connection.execute(text).rowcount

    def count(self, table: str) -> int:
        with translated(self._path), closing(self._connection.execute(f"SELECT COUNT(*) FROM {table}")) as cursor:  # noqa: S608 - ours
            found: int = cursor.fetchone()[0]
            return found

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, current: bool) -> None:
        if not rows:
            return
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - ours
        with translated(self._path):
            self._connection.executemany(text + on_conflict(table, columns, current=current), rows)

    def remove(self, table: str, conditions: Sequence[Condition], limit: int) -> int:
        text, values = deletion(table, conditions, limit)
        with translated(self._path):
            return self._connection.execute(text, values).rowcount

    def attach(self, journal: Path) -> Attached | None:
        return Attached.to(self._connection, self._path, journal)

    def tidy(self) -> None:
        with translated(self._path):
            give_back(self._connection, _PAGES_AT_ONCE, keep=True)
            empty_log(self._connection)

    def close(self) -> None:
        with translated(self._path):
            self._connection.close()

"""An archive on a MySQL or MariaDB server: the registry's SQL over `poller.store.mysql`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from poller.model import ArchiveSettings
from poller.model.contracts import Condition, Question
from poller.store.archive.statements import condition, on_duplicate, select
from poller.store.mysql.connection import Mysql, connect
from poller.store.mysql.migrate import check, steps


class MysqlArchive:
    """Implements `Archive`."""

    def __init__(self, connection: Mysql) -> None:
        self.place = str(connection.settings)
        self._connection = connection

    @classmethod
    def open(cls, settings: ArchiveSettings) -> MysqlArchive:
        """Connects and looks at the schema, which only `poller db upgrade` changes."""
        archive = cls(connect(settings))
        try:
            archive.check()
        except BaseException:
            archive.close()
            raise
        return archive

    def check(self) -> int:
        check(self._connection)
        return len(steps())

    def transaction(self) -> AbstractContextManager[None]:
        return self._connection.transaction()

    def find(self, question: Question) -> list[tuple[Any, ...]]:
        text, values = select(question)
        return self._connection.query(_marked(text), values)

    def count(self, table: str) -> int:
        found: int = self._connection.query(f"SELECT COUNT(*) FROM {table}")[0][0]  # noqa: S608 - names of ours
        return found

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, current: bool) -> None:
        if rows:
            self._connection.insert(table, columns, rows, on_duplicate(table, columns, current=current))

    def remove(self, table: str, conditions: Sequence[Condition], limit: int) -> int:
        where, values = condition(conditions)
        text = f"DELETE FROM {table}{where} LIMIT {limit:d}"  # noqa: S608 - names of ours
        return self._connection.execute(_marked(text), values)

    def tidy(self) -> None:
        """InnoDB uses free pages again by itself."""

    def close(self) -> None:
        self._connection.close()


def _marked(text: str) -> str:
    """With the connector's sign for a value. Our SQL holds no literal, so every `?` is one and there is no `%`."""
    return text.replace("?", "%s")

"""An archive on a MySQL or MariaDB server: the registry's SQL over `poller.store.mysql`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Literal

from poller.model import ArchiveSettings
from poller.model.contracts import Condition, Question
from poller.store.archive.statements import condition, on_duplicate, select
from poller.store.mysql.connection import Mysql, connect
from poller.store.mysql.migrate import check, steps
from poller.store.rollup_sql import FIVE_MS


class MysqlArchive:
    """Implements `Archive`."""

    dialect: Final[Literal["sqlite", "mysql"]] = "mysql"

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

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return self._connection.query(text)

    def execute(self, text: str) -> int:
        return self._connection.execute(text)

    def count(self, table: str) -> int:
        found: int = self._connection.query(f"SELECT COUNT(*) FROM {table}")[0][0]  # noqa: S608 - names of ours
        return found

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, current: bool) -> None:
        if not rows:
            return
        self._connection.insert(table, columns, rows, on_duplicate(table, columns, current=current))
        if table == "poll":
            self._mark_late([row[columns.index("id")] for row in rows])

    def _mark_late(self, ids: Sequence[str]) -> None:
        """Windows that are made already get these polls: what a trigger does on SQLite, which here needs rights of its
        own. The lock waits for whoever rolls this host up, and makes them wait for the rest of this transaction.
        """
        self._connection.execute(
            "REPLACE INTO late_window (host_id, at_ms)"  # noqa: S608 - numbers of ours
            f" SELECT poll.host_id, poll.at_ms - MOD(poll.at_ms, {FIVE_MS})"
            " FROM poll JOIN rolled_up ON rolled_up.host_id = poll.host_id AND poll.at_ms < fives_ms"
            f" WHERE poll.id IN ({', '.join(['%s'] * len(ids))})"
            " AND poll.at_ms >= (SELECT from_ms FROM history_bound WHERE resolution = 'raw') LOCK IN SHARE MODE",
            ids,
        )

    def remove(self, table: str, conditions: Sequence[Condition], limit: int) -> int:
        where, values = condition(conditions)
        text = f"DELETE FROM {table}{where} LIMIT {limit:d}"  # noqa: S608 - names of ours
        return self._connection.execute(_marked(text), values)

    def attach(self, journal: Path) -> None:
        """A server does not see our files."""

    def tidy(self) -> None:
        """InnoDB uses free pages again by itself."""

    def close(self) -> None:
        self._connection.close()


def _marked(text: str) -> str:
    """With the connector's sign for a value. Our SQL holds no literal, so every `?` is one and there is no `%`."""
    return text.replace("?", "%s")

"""A journal, or any SQLite file whose connection is at hand, as a place where samples are rolled up."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from typing import Any, Final, Literal

from poller.store.database import immediate


class SqliteLedger:
    """Implements `Ledger` on a connection that it does not own. Complaints of SQLite pass as they are."""

    dialect: Final[Literal["sqlite", "mysql"]] = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(text).fetchall()

    def execute(self, text: str) -> int:
        return self._connection.execute(text).rowcount

    def transaction(self) -> AbstractContextManager[None]:
        return immediate(self._connection)

"""Rows of several polls that wait to be written together: one statement for all, table by table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any


class Pending:
    """Writes rows at once; while `together` is set only when `flush` is called, at the end of a batch.

    What a statement does to a row must not depend on the others that wait, but on rows of the same statement: those
    keep their order, and statements go in the order in which they were first met.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: dict[str, list[Any]] = {}
        self.together = False

    def add(self, text: str, rows: Iterable[Any]) -> None:
        """Rows for `executemany`: tuples, or dicts for named parameters."""
        if not self.together:
            self._connection.executemany(text, rows)
            return
        waiting = self._rows.get(text)
        if waiting is None:
            self._rows[text] = list(rows)
        else:
            waiting += rows

    def flush(self) -> None:
        """Writes what waits."""
        for text, rows in self._rows.items():
            self._connection.executemany(text, rows)
        self._rows.clear()

    def forget(self) -> None:
        """What waits is never written: the transaction is given up."""
        self._rows.clear()

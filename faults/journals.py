"""What a journal holds, asked from outside while the poller works on it, or has died over it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def ask(journal: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows; none as long as there is no such table."""
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []

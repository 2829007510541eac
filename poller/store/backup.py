"""A copy of a database in use: SQLite's online backup, complete at one moment, made beside the running writer."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from poller.errors import UsageError
from poller.store.database import reading
from poller.store.faults import refused, translated


def backup(path: Path, target: Path) -> int:
    """Copies the database at `path` to the new file `target` (mode 0600); returns its bytes.

    UsageError when the target exists; StoreError when either cannot be used, and nothing is left behind.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already", "name a file that does not exist, or remove it")
    with reading(path) as connection:
        copy(connection, target)
    return target.stat().st_size


def copy(source: sqlite3.Connection, target: Path, *, replace: bool = False) -> None:
    """Writes beside the target and renames, so that half a copy never has its name."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        try:
            with translated(target), closing(sqlite3.connect(partial, isolation_level=None)) as destination:
                source.backup(destination)
                # The copy is one file: without a write-ahead log of its own until it is used.
                destination.execute("PRAGMA journal_mode = DELETE")
            _sync(partial)
            if not replace and target.exists():
                raise UsageError(f"{target} exists already", "name a file that does not exist, or remove it")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise refused(error, target) from error


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

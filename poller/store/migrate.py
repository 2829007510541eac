"""The schema made and brought up to date: numbered steps, each in one transaction, each with its checksum on record.

An interrupted upgrade goes on where it stopped. A newer schema and an edited step are refused, never guessed at.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from poller.errors import StoreError
from poller.store.backup import copy
from poller.store.sql import Migration, migrations

_log = logging.getLogger(__name__)


def migrate(
    connection: sqlite3.Connection, path: Path, now_ms: int, known: Sequence[Migration] | None = None
) -> tuple[int, int]:
    """Brings the database to the newest schema; returns the version before and after.

    A database that holds data is copied to `<path>.schema-<version>` first.
    """
    steps = migrations() if known is None else known
    applied = recorded(connection, path)
    check(applied, steps, path)
    before = len(applied)
    if before and before < len(steps):
        copy(connection, path.with_name(f"{path.name}.schema-{before}"), replace=True)
    for step in steps[before:]:
        _apply(connection, step, now_ms)
        _log.info("%s: schema %d applied", path, step.version)
    return before, len(steps)


def recorded(connection: sqlite3.Connection, path: Path) -> list[tuple[int, str, str]]:
    """(version, name, checksum) of each step this database has had; StoreError for a foreign database."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_migration" in tables:
        return connection.execute("SELECT version, name, checksum FROM schema_migration ORDER BY version").fetchall()
    if tables:
        raise StoreError(
            f"{path}: this database belongs to another program", "name another file in <journal path=>", code="foreign"
        )
    return []


def check(applied: Sequence[tuple[int, str, str]], steps: Sequence[Migration], path: Path) -> None:
    """StoreError when the database is ahead of this poller, or was made by steps other than these."""
    if len(applied) > len(steps):
        raise StoreError(
            f"{path}: this database has schema {applied[-1][0]}, this poller knows {len(steps)}",
            "use the poller that wrote it, or a newer one",
            code="newer",
        )
    for (version, name, checksum), step in zip(applied, steps, strict=False):
        if (version, checksum) != (step.version, step.checksum):
            raise StoreError(
                f"{path}: schema step {version} ({name}) is not the one that made this database",
                "sql/ was edited after it was applied: install the poller again",
                code="edited",
            )


def _apply(connection: sqlite3.Connection, step: Migration, now_ms: int) -> None:
    """One step, wholly or not at all. Foreign keys are checked at the end, so that a table can be rebuilt."""
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in split(step.text):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (?, ?, ?, ?)",
            (step.version, step.name, step.checksum, now_ms),
        )
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.IntegrityError(f"schema step {step.version} would leave rows without their parent")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def split(script: str) -> Iterator[str]:
    """The statements of a script. (`executescript` would commit the transaction that it is called in.)"""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

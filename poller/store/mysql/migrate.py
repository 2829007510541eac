"""The schema of an archive in MySQL: numbered steps, every statement on record as soon as it is carried out.

MySQL and MariaDB commit each CREATE and ALTER by itself, so a step is not one transaction. Instead each statement of
it can be run again, and how many of them are done is written down: an upgrade that was killed anywhere goes on there.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from poller.errors import StoreError
from poller.model import ArchiveSettings
from poller.store.migrate import split
from poller.store.mysql.connection import Mysql
from poller.store.sql import Migration, migrations

_log = logging.getLogger(__name__)

_LOCK_SECONDS: Final = 60.0
_UPGRADE_SECONDS: Final = 6 * 3600.0
# "Duplicate column name" and "Duplicate key name": MySQL has no ADD COLUMN IF NOT EXISTS.
_ADDED: Final = frozenset({1060, 1061})


@dataclass(frozen=True, slots=True)
class Applied:
    """A step that this database has had, or (applied_ms 0) is in the middle of, behind so many statements."""

    version: int
    name: str
    checksum: str
    applied_ms: int
    done: int


def check(connection: Mysql) -> None:
    """StoreError when this poller cannot use the database as it is.

    absent: no schema yet; older: `poller db upgrade` is due; newer: a newer poller's; edited: made by other steps.
    """
    _judge(connection.settings, recorded(connection), steps())


def steps() -> tuple[Migration, ...]:
    """Every step this poller knows, in order."""
    return migrations("mysql")


def recorded(connection: Mysql) -> list[Applied]:
    """What this database has had so far."""
    try:
        rows = connection.query(
            "SELECT version, name, checksum, applied_ms, done FROM schema_migration ORDER BY version"
        )
    except StoreError as error:
        if error.code != "absent":
            raise
        return []
    return [Applied(*row) for row in rows]


def _judge(settings: ArchiveSettings, applied: Sequence[Applied], known: Sequence[Migration]) -> None:
    check_origin(settings, applied, known)
    if not applied:
        raise StoreError(f"{settings}: no tables of the poller there", "`poller db upgrade` makes them", code="absent")
    if pending(applied, known):
        complete = sum(bool(step.applied_ms) for step in applied)
        raise StoreError(
            f"{settings}: its schema is {complete}, this poller needs {len(known)}",
            "`poller db upgrade`, or `poller db upgrade --print` for who may change tables",
            code="older",
        )


def check_origin(settings: ArchiveSettings, applied: Sequence[Applied], known: Sequence[Migration]) -> None:
    """StoreError newer or edited: the database is not one that this poller may work on."""
    if len(applied) > len(known):
        raise StoreError(
            f"{settings}: this database has schema {applied[-1].version}, this poller knows {len(known)}",
            "use the poller that made it, or a newer one",
            code="newer",
        )
    for step, ours in zip(applied, known, strict=False):
        if (step.version, step.checksum) != (ours.version, ours.checksum):
            raise StoreError(
                f"{settings}: schema step {step.version} ({step.name}) is not the one that made this database",
                "sql/ was edited after it was applied: install the poller again",
                code="edited",
            )


def pending(applied: Sequence[Applied], known: Sequence[Migration]) -> list[tuple[Migration, int]]:
    """The steps still to do, each with the number of its statements that are done already."""
    begun = {step.version: step for step in applied}
    return [
        (step, begun[step.version].done if step.version in begun else 0)
        for step in known
        if step.version not in begun or not begun[step.version].applied_ms
    ]


def upgrade(connection: Mysql, now_ms: int, known: Sequence[Migration] | None = None) -> tuple[int, int]:
    """Brings the schema to the newest; returns the version before and after. Two at once wait for each other.

    StoreError: newer, edited; denied when the user may not make tables; busy when another upgrade takes too long.
    """
    known = steps() if known is None else known
    with _alone(connection):
        applied = recorded(connection)
        check_origin(connection.settings, applied, known)
        before = sum(bool(step.applied_ms) for step in applied)
        for step, done in pending(applied, known):
            _apply(connection, step, done, now_ms)
            _log.info("%s: schema %d applied", connection.settings, step.version)
    return before, len(known)


def create_database(connection: Mysql) -> None:
    """The database of the settings, unless it exists; for a connection made with `database=False`."""
    name = connection.settings.database.replace("`", "``")
    connection.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


def patient(settings: ArchiveSettings) -> ArchiveSettings:
    """The settings for an upgrade: to change a table of many rows takes its time."""
    return replace(settings, timeout=_UPGRADE_SECONDS)


@contextmanager
def _alone(connection: Mysql) -> Iterator[None]:
    """A lock of the server's, which is free again as soon as its holder is gone, however it ended."""
    name = lock_name(connection)
    wait = min(_LOCK_SECONDS, connection.settings.timeout / 2)
    ((got,),) = connection.query("SELECT GET_LOCK(%s, %s)", (name, wait))
    if got != 1:
        raise StoreError(f"{connection.settings}: another upgrade is at work there", "wait for its end", code="busy")
    try:
        yield
    finally:
        connection.query("SELECT RELEASE_LOCK(%s)", (name,))


def lock_name(connection: Mysql) -> str:
    """Locks belong to the whole server and have at most 64 characters."""
    return "poller." + hashlib.sha256(connection.settings.database.encode()).hexdigest()[:40]


def _apply(connection: Mysql, step: Migration, done: int, now_ms: int) -> None:
    """The statements behind the first `done`. The very first of all makes the table that keeps the record."""
    for number, statement in enumerate(split(step.text), start=1):
        if number > done:
            _run(connection, statement, again=number == done + 1)
            _record(connection, step, number)
    connection.execute("UPDATE schema_migration SET applied_ms = %s WHERE version = %s", (now_ms, step.version))


def _run(connection: Mysql, statement: str, *, again: bool) -> None:
    """`again`: it may have been run before by somebody who was killed before that was on record."""
    try:
        connection.execute(statement)
    except StoreError as error:
        added = getattr(error.__cause__, "errno", None) in _ADDED
        if not (again and added):
            raise


def _record(connection: Mysql, step: Migration, number: int) -> None:
    connection.execute(
        "INSERT INTO schema_migration (version, name, checksum, applied_ms, done) VALUES (%s, %s, %s, 0, %s)"
        " ON DUPLICATE KEY UPDATE done = VALUES(done)",
        (step.version, step.name, step.checksum, number),
    )

"""The schema moves forward by itself, step by step, and never guesses."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.errors import StoreError
from poller.store import Journal
from poller.store.database import connect_writer
from poller.store.migrate import migrate, recorded, split
from poller.store.sql import Migration, migrations
from tests.store.machines import START_MS, poll, values

FIRST = migrations()[0]
SECOND = Migration(
    2, "colour", "ALTER TABLE host ADD COLUMN colour TEXT;\nCREATE TABLE paint (id INTEGER PRIMARY KEY);\n"
)
NEXT = replace(SECOND, version=len(migrations()) + 1)
BROKEN = replace(SECOND, text="ALTER TABLE host ADD COLUMN colour TEXT;\nINSERT INTO nowhere VALUES (1);\n")


def apply(path: Path, steps: Sequence[Migration]) -> tuple[int, int]:
    with closing(connect_writer(path)) as connection:
        return migrate(connection, path, START_MS, steps)


def columns(path: Path, table: str = "host") -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def test_a_database_is_made_and_then_left_alone(path: Path) -> None:
    assert apply(path, migrations()) == (0, len(migrations()))
    assert apply(path, migrations()) == (len(migrations()), len(migrations()))
    assert sorted(file.name for file in path.parent.iterdir()) == ["poller.db"]


def test_an_upgrade_keeps_the_data_and_a_copy_of_before(path: Path) -> None:
    with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
        work.store_poll(poll("web1"), values(1))
    assert apply(path, [*migrations(), NEXT]) == (len(migrations()), len(migrations()) + 1)
    assert "colour" in columns(path)
    copy = path.with_name(f"poller.db.schema-{len(migrations())}")
    assert "colour" not in columns(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM poll").fetchone() == (1,)


def test_a_newer_schema_is_refused_by_name(path: Path) -> None:
    apply(path, [FIRST, *(Migration(n, "later", "SELECT 1;") for n in range(2, 8))])
    with pytest.raises(StoreError, match=r"this database has schema 7, this poller knows \d$"):
        Journal.open(path, now_ms=START_MS)


def test_an_edited_step_is_refused(path: Path) -> None:
    apply(path, [FIRST])
    with pytest.raises(StoreError, match=r"schema step 1 .*is not the one"):
        apply(path, [replace(FIRST, text=FIRST.text + "-- harmless\n")])


def test_a_step_that_fails_changes_nothing_and_the_next_try_goes_on_there(path: Path) -> None:
    apply(path, [FIRST])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        apply(path, [FIRST, BROKEN])
    assert "colour" not in columns(path)
    assert apply(path, [FIRST, SECOND]) == (1, 2)


def test_a_step_may_not_leave_rows_without_their_parent(path: Path) -> None:
    with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
        work.store_poll(poll("web1"), values(1))
    with pytest.raises(sqlite3.IntegrityError, match="parent"):
        apply(path, [*migrations(), replace(NEXT, text="DELETE FROM host;")])


def test_steps_are_numbered_without_gaps_and_recorded_with_their_checksum(path: Path) -> None:
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))
    apply(path, migrations())
    with closing(sqlite3.connect(path)) as connection:
        assert recorded(connection, path) == [(step.version, step.name, step.checksum) for step in migrations()]


_SCRIPT = """\
-- a; comment
CREATE TABLE a (b TEXT DEFAULT ';');
CREATE TRIGGER t AFTER INSERT ON a BEGIN
 DELETE FROM a;
END;
-- the end
"""


def test_a_script_is_split_where_its_statements_end() -> None:
    assert [part.split()[:2] for part in split(_SCRIPT)] == [["--", "a;"], ["CREATE", "TRIGGER"]]

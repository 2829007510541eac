"""What `poller db status` shows of the database itself: sizes, schema, rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from poller.store.database import reading
from poller.store.migrate import recorded
from poller.store.sql import migrations, statements


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """Bytes of the file, of its write-ahead log and of the unused pages inside; rows by table."""

    path: Path
    schema: int
    known_schema: int
    file_bytes: int
    log_bytes: int
    free_bytes: int
    rows: Mapping[str, int]
    pruned_ms: int | None


def info(path: Path) -> DatabaseInfo:
    """Reads every index once to count rows: some seconds on a database of many GiB. StoreError as all readers."""
    with reading(path) as connection:
        connection.execute("BEGIN")
        applied = recorded(connection, path)
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        ).fetchall()
        rows = {
            name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - from the schema
            for (name,) in tables
        }
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        pruned = None
        if "housekeeping" in rows:
            pruned = connection.execute("SELECT MAX(done_ms) FROM housekeeping WHERE task = 'prune'").fetchone()[0]
    log = path.with_name(path.name + "-wal")
    return DatabaseInfo(
        path=path,
        schema=applied[-1][0] if applied else 0,
        known_schema=len(migrations()),
        file_bytes=path.stat().st_size,
        log_bytes=log.stat().st_size if log.exists() else 0,
        free_bytes=free * page,
        rows=rows,
        pruned_ms=pruned,
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the archive refused for good: `item` is the id of the row (a host's for `limits`)."""

    kind: str
    item: str
    at_ms: int
    rejected_ms: int
    error: str


def refusals(path: Path, at_most: int = 5) -> tuple[Refusal, ...]:
    """The oldest of them."""
    with reading(path) as connection:
        rows = connection.execute(statements()["first_rejected"], {"at_most": at_most}).fetchall()
    return tuple(Refusal(*row) for row in rows)

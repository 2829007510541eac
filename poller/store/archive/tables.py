"""What is kept in an archive: the tables, what makes a row the same row elsewhere, and what a repeated one does.

Every insert may be repeated: a batch that was stored but not acknowledged comes again. `host.id` and the ids of
inventories are each database's own; the other ids are UUIDs and mean the same everywhere.
"""

from __future__ import annotations

import functools
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from poller.metrics import SAMPLE_TABLES
from poller.store.inventory import KINDS
from poller.store.sql import migrations


@dataclass(frozen=True, slots=True)
class Table:
    """`key` tells its rows apart wherever they are. `parent` is (column, table) of the one id that has to be mapped.

    What a repeated row does: nothing when `newest` is None; otherwise it replaces the one that is there, unless that
    one is newer by the column `newest` ("" replaces always). The smaller of two `earliest` stays.
    `time` is the column that retention looks at. `own_ids`: the column id is this database's own.
    """

    name: str
    key: tuple[str, ...]
    parent: tuple[str, str] | None = None
    newest: str | None = None
    earliest: str = ""
    own_ids: bool = False
    time: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is carried over, in the order of the schema; without an id that is this database's own."""
        return tuple(name for name in columns(self.name) if not (self.own_ids and name == "id"))


_HOST: Final = ("host_id", "host")

HOST: Final = Table("host", ("name",), newest="last_seen_ms", earliest="first_seen_ms", own_ids=True)
INVENTORIES: Final = {
    kind.table: Table(
        kind.table, ("host_id", *kind.key), _HOST, "last_seen_ms", "first_seen_ms", own_ids=True, time="last_seen_ms"
    )
    for kind in KINDS
}
SAMPLES: Final = {
    name: Table(name, (f"{inventory}_id", "at_ms"), (f"{inventory}_id", inventory), "", time="at_ms")
    for name, (_, inventory, _) in SAMPLE_TABLES.items()
}
ROUND: Final = Table("round", ("id",), newest="ended_ms", time="started_ms")
POLL: Final = Table("poll", ("id",), _HOST, time="at_ms")
SECTION: Final = Table("section", ("poll_id", "name"))
EVENT: Final = Table("event", ("id",), _HOST, time="at_ms")
ALERT: Final = Table("alert", ("id",), _HOST, newest="updated_ms", time="closed_ms")
NOTIFICATION: Final = Table("notification", ("id",), newest="done_ms")
LIMIT_STATE: Final = Table("limit_state", ("host_id", "metric", "labels", "limit_key"), _HOST, newest="")
HOST_LATEST: Final = Table("host_latest", ("host_id",), _HOST, newest="at_ms")
# The catalogue comes with the schema, housekeeping is each database's own; neither is ever carried over.
METRIC: Final = Table("metric", ("name",))
HOUSEKEEPING: Final = Table("housekeeping", ("task",), newest="")

# In the order in which rows may be written: what is pointed to comes first.
TABLES: Final = {
    table.name: table
    for table in (
        HOST, *INVENTORIES.values(), ROUND, POLL, SECTION, *SAMPLES.values(), EVENT, ALERT, NOTIFICATION, LIMIT_STATE,
        HOST_LATEST, METRIC, HOUSEKEEPING,
    )
}  # fmt: skip


@functools.cache
def columns(table: str) -> tuple[str, ...]:
    """As the newest schema has them, in its order."""
    return _schema()[table]


@functools.cache
def _schema() -> dict[str, tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in migrations():
            connection.executescript(step.text)
        return {
            name: tuple(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }

"""What is kept in an archive: the tables, what makes a row the same row elsewhere, and what a repeated one does.

Every insert may be repeated: a batch that was stored but not acknowledged comes again. `host.id` and the ids of
inventories are each database's own; the other ids are UUIDs and mean the same everywhere.
"""

from __future__ import annotations

import functools
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from poller.store import aging
from poller.store.kinds import KINDS, Kind
from poller.store.sql import migrations


@dataclass(frozen=True, slots=True)
class Table:
    """`key` tells its rows apart wherever they are. `parent` is (column, table) of the one id that has to be mapped.

    What a repeated row does: nothing when `newest` is None; otherwise it replaces the one that is there, unless that
    one is newer by the column `newest` ("" replaces always). The smaller of two `earliest` stays.
    `time` is the column that retention looks at. `own_ids`: the column id is this database's own. `find_by`: there are
    too many of them to know all of a host's; they are looked up by this column of the key.
    """

    name: str
    key: tuple[str, ...]
    parent: tuple[str, str] | None = None
    newest: str | None = None
    earliest: str = ""
    own_ids: bool = False
    time: str = ""
    find_by: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is carried over, in the order of the schema; without an id that is this database's own."""
        return _carried(self.name, own_ids=self.own_ids)

    @property
    def places(self) -> tuple[int, ...]:
        """Where the parts of `key` stand among `columns`."""
        return _places(self.columns, self.key)


_HOST: Final = ("host_id", "host")

HOST: Final = Table("host", ("name",), newest="last_seen_ms", earliest="first_seen_ms", own_ids=True)


def _inventory(kind: Kind) -> Table:
    """What comes and goes is another thing each time; there may be many of them."""
    table = Table(kind.table, ("host_id", *kind.key), _HOST, "last_seen_ms", "first_seen_ms", own_ids=True)
    if not kind.section:
        return replace(table, time="last_seen_ms", find_by=kind.find_by)
    return replace(table, key=(*table.key, "first_seen_ms"), earliest="", time="gone_ms", find_by="first_seen_ms")


def _aged(one: aging.Aging, key: tuple[str, ...] = ("at_ms",), newest: str | None = "") -> Table:
    return Table(one.table, (one.owner, *key), (one.owner, one.inventory), newest, time=one.time)


INVENTORIES: Final = {kind.table: _inventory(kind) for kind in KINDS}
PROCESS_SAMPLE: Final = _aged(aging.SAMPLES["process_sample"], ("at_ms", "pid"))
LOG_LINE: Final = _aged(aging.LOG_LINE, ("seen_ms", "number"), None)
PEER_DAY: Final = _aged(aging.PEER_DAY, newest="updated_ms")
# What a poll brings, by the instant of the poll.
SAMPLES: Final = {
    **{name: _aged(one) for name, one in aging.SAMPLES.items() if name != PROCESS_SAMPLE.name},
    PROCESS_SAMPLE.name: PROCESS_SAMPLE,
    LOG_LINE.name: LOG_LINE,
}
# Each database makes its own; a copy takes them along, and what more rows stand behind stays.
ROLLUPS: Final = {name: _aged(one, newest="samples") for name, one in aging.ROLLUPS.items()}
HISTORY_BOUND: Final = Table("history_bound", ("resolution",), newest="from_ms")
ROUND: Final = Table("round", ("id",), newest="ended_ms", time="started_ms")
POLL: Final = Table("poll", ("id",), _HOST, time="at_ms")
SECTION: Final = Table("section", ("poll_id", "name"))
EVENT: Final = Table("event", ("id",), _HOST, time="at_ms")
ALERT: Final = Table("alert", ("id",), _HOST, newest="updated_ms", time="closed_ms")
NOTIFICATION: Final = Table("notification", ("id",), newest="done_ms")
ACKNOWLEDGEMENT: Final = Table("acknowledgement", ("id",), newest="updated_ms")
EVIDENCE: Final = Table("evidence", ("alert_id", "part"))
SILENCE: Final = Table("silence", ("id",), newest="updated_ms", time="until_ms")
MESSAGE: Final = Table("message", ("id",), time="sent_ms")
LIMIT_STATE: Final = Table("limit_state", ("host_id", "metric", "labels", "limit_key"), _HOST, newest="")
HOST_LATEST: Final = Table("host_latest", ("host_id",), _HOST, newest="at_ms")
# The catalogue comes with the schema, housekeeping is each database's own; neither is ever carried over.
METRIC: Final = Table("metric", ("name",))
HOUSEKEEPING: Final = Table("housekeeping", ("task",), newest="")

# In the order in which rows may be written: what is pointed to comes first.
TABLES: Final = {
    table.name: table
    for table in (
        HOST, *INVENTORIES.values(), ROUND, POLL, SECTION, *SAMPLES.values(), PEER_DAY, *ROLLUPS.values(),
        HISTORY_BOUND, EVENT, ALERT,
        ACKNOWLEDGEMENT, EVIDENCE, SILENCE, MESSAGE, NOTIFICATION, LIMIT_STATE, HOST_LATEST, METRIC, HOUSEKEEPING,
    )
}  # fmt: skip


@functools.cache
def columns(table: str) -> tuple[str, ...]:
    """As the newest schema has them, in its order."""
    return _schema()[table]


@functools.cache
def _carried(table: str, *, own_ids: bool) -> tuple[str, ...]:
    return tuple(name for name in columns(table) if not (own_ids and name == "id"))


@functools.cache
def _places(names: tuple[str, ...], key: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(map(names.index, key))


@functools.cache
def _schema() -> dict[str, tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in migrations():
            connection.executescript(step.text)
        return {
            name: tuple(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }

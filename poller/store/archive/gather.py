"""Entries of the queue -> the rows they stand for, as the journal has them now, all of one moment."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final

from poller.metrics import SAMPLE_TABLES
from poller.model.contracts import Condition, Question
from poller.store.archive.rows import Row, Rows
from poller.store.archive.statements import select
from poller.store.archive.tables import INVENTORIES, columns
from poller.store.queue import Item

# SQLite before 3.32 takes 999 values per statement.
_AT_ONCE: Final = 900


def gather(connection: sqlite3.Connection, items: Sequence[Item]) -> Rows:
    """What is gone by now (pruned, dropped) is left out. A poll brings its samples, sections, host and things."""
    ids: dict[str, list[Any]] = {}
    for item in items:
        ids.setdefault(item.kind, []).append(item.item)
    rows = Rows()
    with _one_moment(connection):
        find = functools.partial(_find, connection)
        polls = find("poll", "id", ids.get("poll", ()))
        notifications = find("notification", "id", ids.get("notification", ()))
        alerts = find("alert", "id", [*ids.get("alert", ()), *(row[_ALERT_ID] for row in notifications)])
        events = find("event", "id", ids.get("event", ()))
        limits = [int(number) for number in ids.get("limits", ())]
        hosts = {row[_POLL_HOST] for row in polls}
        others = {row[_ALERT_HOST] for row in alerts} | {row[_EVENT_HOST] for row in events} | set(limits)
        rows.add("host", find("host", "id", (hosts | others) - {None}))
        for name in INVENTORIES:
            rows.add(name, find(name, "host_id", hosts))
        rows.add("round", find("round", "id", ids.get("round", ())))
        rows.add("poll", polls)
        rows.add("section", find("section", "poll_id", [row[0] for row in polls]))
        _add_samples(connection, rows, polls)
        rows.add("event", events)
        rows.add("alert", alerts)
        rows.add("notification", notifications)
        rows.add("limit_state", find("limit_state", "host_id", limits))
        rows.limits.update(limits)
        sent = {row[0] for row in polls}
        rows.add("host_latest", (row for row in find("host_latest", "host_id", hosts) if row[_LATEST_POLL] in sent))
    return rows


# Places of columns in their rows; a test compares them with the schema.
_POLL_HOST: Final = 1
_POLL_AT: Final = 3
_POLL_OUTCOME: Final = 4
_ALERT_ID: Final = 1
_ALERT_HOST: Final = 2
_EVENT_HOST: Final = 1
_LATEST_POLL: Final = 1
PLACES: Final = {
    ("poll", "host_id"): _POLL_HOST, ("poll", "at_ms"): _POLL_AT, ("poll", "outcome"): _POLL_OUTCOME,
    ("notification", "alert_id"): _ALERT_ID, ("alert", "host_id"): _ALERT_HOST, ("event", "host_id"): _EVENT_HOST,
    ("host_latest", "poll_id"): _LATEST_POLL,
}  # fmt: skip


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is read inside is of one commit; the log may not be cut meanwhile, so nothing slow is done here."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _find(connection: sqlite3.Connection, table: str, column: str, values: Iterable[Any]) -> list[Row]:
    wanted = sorted(set(values))
    found: list[Row] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = Condition(column, "in", tuple(wanted[start : start + _AT_ONCE]))
        found += connection.execute(*select(Question(table, columns(table), (some,)))).fetchall()
    return found


def _add_samples(connection: sqlite3.Connection, rows: Rows, polls: Sequence[Row]) -> None:
    """Only a poll that brought a report has any."""
    keys = {(row[_POLL_HOST], row[_POLL_AT]) for row in polls if row[_POLL_OUTCOME] in ("ok", "partial")}
    for table, text in _sample_statements().items():
        found: list[Row] = []
        for key in keys:
            found += connection.execute(text, key).fetchall()
        found.sort(key=itemgetter(0, 1))  # the order in which an archive keeps them
        rows.add(table, found)


@functools.cache
def _sample_statements() -> dict[str, str]:
    """Table -> what one poll (host, at_ms) has in it, by the primary key."""
    return {table: _sample_statement(table, inventory) for table, (_, inventory, _) in SAMPLE_TABLES.items()}


def _sample_statement(table: str, inventory: str) -> str:
    wanted = ", ".join(f"{table}.{name}" for name in columns(table))
    if inventory == "host":
        return f"SELECT {wanted} FROM {table} WHERE host_id = ? AND at_ms = ?"  # noqa: S608 - names of ours
    return (
        f"SELECT {wanted} FROM {inventory} CROSS JOIN {table}"  # noqa: S608 - names of ours
        f" WHERE {inventory}.host_id = ? AND {table}.{inventory}_id = {inventory}.id AND {table}.at_ms = ?"
    )

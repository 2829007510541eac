"""Entries of the queue -> the rows they stand for, as the journal has them now, all of one moment."""

from __future__ import annotations

import functools
import operator
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from poller.model.contracts import Condition, Question
from poller.store.aging import DAY_MS
from poller.store.archive.rows import Row, Rows
from poller.store.archive.statements import select
from poller.store.archive.tables import INVENTORIES, PEER_DAY, SAMPLES, Table, columns
from poller.store.kinds import EPISODIC, PATIENCE_MS
from poller.store.queue import Item
from poller.store.sql import statements

# SQLite before 3.32 takes 999 values per statement.
_AT_ONCE: Final = 900


def gather(connection: sqlite3.Connection, items: Sequence[Item], *, samples: bool = True) -> Rows:
    """What is gone by now (pruned, dropped) is left out. A poll brings its samples, sections, host and things.

    Of things of which there may be many: what came, went or changed since the report before these, and what the
    samples belong to, also when `samples` themselves are left out, for a `Crossing`.
    """
    ids: dict[str, list[Any]] = {}
    for item in items:
        ids.setdefault(item.kind, []).append(item.item)
    rows = Rows()
    with _one_moment(connection):
        find = functools.partial(_find, connection)
        polls = find("poll", "id", ids.get("poll", ()))
        of_alerts = {name: find(name, column, ids.get(name, ())) for name, column in _OF_ALERTS.items()}
        theirs = {row[columns(name).index("alert_id")] for name, found in of_alerts.items() for row in found}
        alerts = find("alert", "id", [*ids.get("alert", ()), *theirs])
        events = find("event", "id", ids.get("event", ()))
        limits = [int(number) for number in ids.get("limits", ())]
        hosts = {row[_POLL_HOST] for row in polls}
        others = {row[_ALERT_HOST] for row in alerts} | {row[_EVENT_HOST] for row in events} | set(limits)
        rows.add("host", find("host", "id", (hosts | others) - {None}))
        for name in INVENTORIES.keys() - _MANY:
            rows.add(name, find(name, "host_id", hosts))
        rows.add("round", find("round", "id", ids.get("round", ())))
        rows.add("poll", polls)
        rows.add("section", find("section", "poll_id", [row[0] for row in polls]))
        _add_samples(connection, rows, polls, tuple(_sample_statements()) if samples else (PEER_DAY.name,))
        owners = {} if samples else _sampled(connection, polls)
        for name, tables in _OWNERS.items():
            ids_there = {row[0] for table in tables for row in rows.of(table)}
            rows.add(name, find(name, "id", ids_there | owners.get(name, set())))
        _add_episodes(connection, rows, polls)
        rows.add("event", events)
        rows.add("alert", alerts)
        for name in ("silence", "message"):
            rows.add(name, find(name, "id", ids.get(name, ())))
        for name, found in of_alerts.items():
            rows.add(name, found)
        rows.add("limit_state", find("limit_state", "host_id", limits))
        rows.limits.update(limits)
        sent = {row[0] for row in polls}
        rows.add("host_latest", (row for row in find("host_latest", "host_id", hosts) if row[_LATEST_POLL] in sent))
    return rows


# Places of columns in their rows; a test compares them with the schema.
_POLL_HOST: Final = 1
_POLL_AT: Final = 3
_POLL_OUTCOME: Final = 4
_ALERT_HOST: Final = 2
_EVENT_HOST: Final = 1
_LATEST_POLL: Final = 1
PLACES: Final = {
    ("poll", "host_id"): _POLL_HOST, ("poll", "at_ms"): _POLL_AT, ("poll", "outcome"): _POLL_OUTCOME,
    ("alert", "host_id"): _ALERT_HOST, ("event", "host_id"): _EVENT_HOST, ("host_latest", "poll_id"): _LATEST_POLL,
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


# What belongs to alerts, and what an entry of the queue names of it.
_OF_ALERTS: Final = {"acknowledgement": "id", "evidence": "alert_id", "notification": "id"}
# Things of which only those are sent that samples belong to, or that came and went.
_OWNERS: Final = {"peer": ("peer_sample", PEER_DAY.name), "series": ("series_sample",)}
_MANY: Final = frozenset({*_OWNERS, *(kind.table for kind in EPISODIC)})


def _with_report(polls: Sequence[Row]) -> set[tuple[int, int]]:
    """(host, instant) of those that brought a report: only they have much beside themselves."""
    return {(row[_POLL_HOST], row[_POLL_AT]) for row in polls if row[_POLL_OUTCOME] in ("ok", "partial")}


def _add_samples(connection: sqlite3.Connection, rows: Rows, polls: Sequence[Row], tables: Sequence[str]) -> None:
    reports = polled(_with_report(polls))
    everything = polled({(row[_POLL_HOST], row[_POLL_AT]) for row in polls})
    for table in tables:
        text = _sample_statements()[table]
        found = connection.execute((everything if table == _ECHOES else reports) + text).fetchall()
        if table == PEER_DAY.name:
            found = list(set(found))  # a day's sum is the same for all polls of that day
        rows.add(table, sorted(found, key=_KEYS[table]))  # the order in which an archive keeps them


# A poll that failed may know whether the host answered to echo requests.
_ECHOES: Final = "activity_sample"
# Keys stand first in their rows; a test compares that with the schema.
_KEYS: Final = {table.name: operator.itemgetter(*range(len(table.key))) for table in (*SAMPLES.values(), PEER_DAY)}


def polled(polls: Iterable[tuple[int, int]]) -> str:
    """What `_sample_statements` begin with: these polls, as (host, instant)."""
    rows = [
        f"({host:d}, {at_ms:d}, {at_ms - at_ms % DAY_MS:d}, {at_ms - PATIENCE_MS:d})" for host, at_ms in sorted(polls)
    ]
    values = f"VALUES {', '.join(rows)}" if rows else "SELECT 0, 0, 0, 0 WHERE 0"
    return f"WITH polled (host_id, at_ms, day_ms, since_ms) AS ({values}) "


@functools.cache
def _sample_statements() -> dict[str, str]:
    """Table -> what each poll (of `polled`) has in it, by the primary key."""
    return {table.name: _sample_statement(table) for table in (*SAMPLES.values(), PEER_DAY)}


def _sample_statement(table: Table) -> str:
    name, (column, inventory) = table.name, table.parent or ("", "")
    wanted = ", ".join(f"{name}.{column}" for column in columns(name))
    when = f"{name}.{table.time} = {'polled.day_ms' if table is PEER_DAY else 'polled.at_ms'}"
    if inventory == "host":
        return f"SELECT {wanted} FROM polled CROSS JOIN {name} WHERE {name}.host_id = polled.host_id AND {when}"  # noqa: S608 - names of ours
    lately = f" AND {inventory}.last_seen_ms >= polled.since_ms" if inventory in _OWNERS else ""
    return (
        f"SELECT {wanted} FROM polled CROSS JOIN {inventory} CROSS JOIN {name}"  # noqa: S608 - names of ours
        f" WHERE {inventory}.host_id = polled.host_id{lately} AND {name}.{column} = {inventory}.id AND {when}"
    )


def _sampled(connection: sqlite3.Connection, polls: Sequence[Row]) -> dict[str, set[int]]:
    """Inventory -> ids of what has samples since the first and until the last of these reports of its host."""
    instants: dict[int, list[int]] = {}
    for host, at_ms in _with_report(polls):
        instants.setdefault(host, []).append(at_ms)
    spans = [
        {"host_id": host, "first_ms": min(found), "last_ms": max(found), "since_ms": min(found) - PATIENCE_MS}
        for host, found in sorted(instants.items())
    ]
    return {
        inventory: {number for span in spans for (number,) in connection.execute(text, span)}
        for inventory, text in _owner_statements().items()
    }


@functools.cache
def _owner_statements() -> dict[str, str]:
    return {
        inventory: f"SELECT id FROM {inventory} WHERE host_id = :host_id AND last_seen_ms >= :since_ms"  # noqa: S608 - names of ours
        f" AND EXISTS (SELECT 1 FROM {table} WHERE {inventory}_id = {inventory}.id"
        " AND at_ms BETWEEN :first_ms AND :last_ms)"
        for inventory, (table, *_) in _OWNERS.items()
    }


def _add_episodes(connection: sqlite3.Connection, rows: Rows, polls: Sequence[Row]) -> None:
    """All since the report before these. There may be polls between that were given up: what went then went, too."""
    first: dict[int, int] = {}
    for host, at_ms in _with_report(polls):
        first[host] = min(at_ms, first.get(host, at_ms))
    for host, at_ms in sorted(first.items()):
        found = connection.execute(statements()["report_before"], {"host_id": host, "at_ms": at_ms}).fetchone()
        span = {"host_id": host, "since_ms": found[0] if found else -1}
        for table, text in _episode_statements().items():
            rows.add(table, connection.execute(text, span).fetchall())


@functools.cache
def _episode_statements() -> dict[str, str]:
    """Table -> what of a host came, changed or went after :since_ms, each part by an index."""
    return {kind.table: _episode_statement(kind.table) for kind in EPISODIC}


def _episode_statement(table: str) -> str:
    wanted = f"SELECT {', '.join(columns(table))} FROM {table} WHERE host_id = :host_id AND"  # noqa: S608 - names of ours
    text = f"{wanted} gone_ms IS NULL AND last_seen_ms > :since_ms UNION ALL {wanted} gone_ms > :since_ms"
    if "told_ms" in columns(table):
        text += f" UNION ALL {wanted} told_ms > :since_ms AND gone_ms <= :since_ms"
    return text

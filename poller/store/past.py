"""What the rules of a host could see at some instant of the past, as far as the journal still knows.

Where history is kept in an archive elsewhere, the journal knows the last day.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from poller.metrics import CATALOGUE, SAMPLE_TABLES
from poller.model import EVENT_KINDS, History, MetricValue, Needs, Sight, World
from poller.store.database import reading
from poller.store.history import events_between, history, lines_between
from poller.store.series import OF_POLLS, Attempt, attempts, values_at
from poller.store.sql import statements

# Things whose rows alone are a label to be seen, whatever numbers they have.
_INVENTORIES: Final = tuple(
    (label, inventory, key) for label, inventory, key in SAMPLE_TABLES.values() if label and inventory != "series"
)


def instants(path: Path, host: str, since_ms: int, until_ms: int) -> list[int]:
    """When the host was polled in that time (both ends in it), whatever came of it, oldest first. StoreError."""
    with reading(path) as connection:
        number = _host(connection, host)
        polls = [] if number is None else attempts(connection, number, since_ms, until_ms + 1)
        return [poll.at_ms for poll in polls]


def before(path: Path, host: str, needs: Needs, at_ms: int) -> History:
    """What there was before that instant, as far back as `needs` says, for who has no transaction. StoreError."""
    with reading(path) as connection:
        return history(connection, host, needs, at_ms)


def world(path: Path, host: str, at_ms: int, needs: Needs) -> World:
    """As it was for the newest poll at or before `at_ms`: `now_ms` is its instant. Empty before the first. StoreError.

    A poll that failed saw nothing but that. Of sections without numbers it is known only for the newest poll whether
    they were read: rules that ask what is missing from them see "unknown" before.
    """
    with reading(path) as connection:
        connection.execute("BEGIN")
        number = _host(connection, host)
        row = None
        if number is not None:
            row = connection.execute(statements()["poll_at"], {"host_id": number, "at_ms": at_ms}).fetchone()
        if number is None or row is None:
            return World(now_ms=at_ms)
        return _world(connection, host, number, Attempt(row), row[-1], needs)


def _world(connection: sqlite3.Connection, host: str, number: int, poll: Attempt, poll_id: str, needs: Needs) -> World:
    now_ms = poll.at_ms
    (before_ms,) = connection.execute(statements()["poll_before"], {"host_id": number, "at_ms": now_ms}).fetchone()
    fresh_ms = now_ms if before_ms is None else before_ms + 1  # what is younger than the poll before came with this one
    of_poll = ((name, poll.value(name)) for name in OF_POLLS)
    values = [MetricValue(name, value) for name, value in of_poll if value is not None]
    values += values_at(connection, number, now_ms)
    earlier = history(connection, host, needs, now_ms)
    events = events_between(connection, number, EVENT_KINDS, fresh_ms, now_ms + 1)
    return World(
        now_ms=now_ms,
        values=tuple(values),
        sight=_sight(connection, number, now_ms, poll_id, values) if poll.reported else Sight(),
        lines=tuple(seen.line for seen in lines_between(connection, number, None, now_ms, now_ms + 1)),
        events=events,
        history=replace(earlier, events=tuple(event for event in earlier.events if event.at_ms < fresh_ms)),
    )


def _sight(
    connection: sqlite3.Connection, number: int, at_ms: int, poll_id: str, values: Sequence[MetricValue]
) -> Sight:
    """Sections that gave numbers, and were read to their end; labels of these numbers and of what was there."""
    moment = {"host_id": number, "at_ms": at_ms}
    complete = {name for (name,) in connection.execute(statements()["complete_sections"], moment).fetchall()}
    unread = {name for (name,) in connection.execute(statements()["unread_sections"], {"poll_id": poll_id}).fetchall()}
    sections = {CATALOGUE[value.metric].section for value in values} | complete
    labels = {label for value in values for label in value.labels}
    return Sight(frozenset(sections - unread - {""}), frozenset(labels | set(_rows(connection, number, at_ms))))


def _rows(connection: sqlite3.Connection, number: int, at_ms: int) -> Iterator[tuple[str, str]]:
    """(label name, value) of what the host had then, as far as first and last sight tell."""
    for label, inventory, key in _INVENTORIES:
        text = f"SELECT {key} FROM {inventory} WHERE host_id = ? AND ? BETWEEN first_seen_ms AND last_seen_ms"  # noqa: S608 - names of ours
        for (value,) in connection.execute(text, (number, at_ms)).fetchall():
            yield label, value


def _host(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute(statements()["host_id"], {"name": name}).fetchone()
    return None if row is None else int(row[0])

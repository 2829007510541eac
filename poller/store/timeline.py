"""What happened, and how numbers went: events and the history of one metric, from the journal or the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from poller.errors import UsageError
from poller.metrics import CATALOGUE, SAMPLE_TABLES, Metric
from poller.model import POLLER, Severity
from poller.store.database import reading
from poller.store.paging import Book, Row, Source, at_least, globs, of_hosts, pages
from poller.store.query import answer
from poller.store.sql import statements


@dataclass(frozen=True, slots=True)
class EventFilter:
    """`hosts` are names (None: all; the poller itself is `poller`), `kinds` globs (none: all)."""

    hosts: tuple[str, ...] | None = None
    kinds: tuple[str, ...] = ()
    severity: Severity = Severity.LOW

    def book(self) -> Book:
        book = Book(
            "SELECT event.at_ms, event.id, host.name, event.kind, event.severity, event.details"
            " FROM event LEFT JOIN host ON host.id = event.host_id",
            ("event.at_ms", "event.id"),
        )
        if self.hosts is not None:
            condition, values = of_hosts("event.host_id", self.hosts)
            book = book.where(condition, **values)
        if self.kinds:
            condition, values = globs("event.kind", self.kinds, "kind")
            book = book.where(condition, **values)
        return book.where(at_least("event.severity", self.severity)) if self.severity > Severity.LOW else book


@dataclass(frozen=True, slots=True)
class Happening:
    """One event with the name of its host; `poller` for the poller's own."""

    id: str
    at_ms: int
    host: str
    kind: str
    severity: str
    details: str


def events(
    source: Source, wanted: EventFilter, since_ms: int, until_ms: int, *, newest_first: bool = False
) -> Iterator[Happening]:
    """Events between two instants; read in pages, as far as the caller goes on."""
    for page in pages(source, wanted.book(), since_ms, until_ms, newest_first=newest_first):
        yield from map(_happening, page)


def events_after(path: Path, wanted: EventFilter, floor: str) -> tuple[Happening, ...]:
    """Events whose id is greater, in the order of their ids: UUIDv7, so that is the order in which they were noted."""
    book = wanted.book()
    text = book.text("event.id > :floor", order=("event.id",))
    return tuple(map(_happening, answer(path, text, {**book.values, "floor": floor}).rows))


def floor_id(at_ms: int) -> str:
    """Smaller than the id (UUIDv7, RFC 9562) of every event noted at that instant or later."""
    digits = f"{max(at_ms, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def _happening(row: Row) -> Happening:
    at_ms, id_, host, kind, severity, details = row
    return Happening(id_, at_ms, host or POLLER, kind, severity, details)


def event_kinds(source: Source) -> tuple[str, ...]:
    """Every kind there is in the database. Reads all events: for "did you mean" only."""
    return tuple(row[0] for row in answer(source, "SELECT DISTINCT kind FROM event ORDER BY kind", {}).rows)


@dataclass(frozen=True, slots=True)
class Course:
    """The values of one label ("" without one) by time: pairs of an instant in milliseconds and a number."""

    label: str
    points: tuple[tuple[int, float], ...]


# What a poll itself says is no sample; its history is that of the polls.
_OF_POLLS: Final = {
    "poll.seconds": "SELECT '', at_ms, seconds FROM poll WHERE {when} ORDER BY at_ms",
    "host.down": "SELECT '', at_ms, CASE WHEN outcome = 'failed' THEN 1 ELSE 0 END FROM poll"
    " WHERE {when} AND outcome <> 'skipped' ORDER BY at_ms",
    "host.security": "SELECT '', at_ms, security FROM poll WHERE {when} ORDER BY at_ms",
}
_HOST: Final = "(SELECT id FROM host WHERE name = :host)"
_PERIOD: Final = "at_ms BETWEEN :since_ms AND :until_ms"


def has_history(metric: Metric) -> bool:
    """Whether the database keeps its values; those of the poller itself are only judged."""
    return bool(metric.column) or metric.name in _OF_POLLS


def history(source: Source, host: str, name: str, since_ms: int, until_ms: int) -> tuple[Course, ...]:
    """Every label's values between two instants, in the order of the labels. UsageError without history."""
    metric = CATALOGUE[name]
    if not has_history(metric):
        raise UsageError(
            f"{name} has no history: it is judged at each round and not kept",
            "`poller query alert-history` shows when it was over its limits",
        )
    values = {"host": host, "since_ms": since_ms, "until_ms": until_ms}
    rows = answer(source, _history_text(metric), values | ({"metric": name} if _generic(metric) else {})).rows
    return tuple(
        Course(label, tuple((at_ms, float(value)) for _, at_ms, value in group))
        for label, group in groupby(rows, key=lambda row: str(row[0]))
    )


def _generic(metric: Metric) -> bool:
    """Whether its inventory holds series of many metrics."""
    return bool(metric.table) and SAMPLE_TABLES[metric.table][1] == "series"


def _history_text(metric: Metric) -> str:
    if not metric.column:
        return _OF_POLLS[metric.name].format(when=f"host_id = {_HOST} AND {_PERIOD}")
    table, column = metric.table, metric.column
    _, inventory, key = SAMPLE_TABLES[table]
    if inventory == "host":
        text = f"SELECT '', at_ms, {column} FROM {table} WHERE host_id = {_HOST} AND {_PERIOD}"  # noqa: S608 - our names
        return f"{text} AND {column} IS NOT NULL ORDER BY at_ms"
    own = " AND series.metric = :metric" if _generic(metric) else ""
    label = f"{inventory}.{'label' if own else key}"
    return (
        f"SELECT {label}, {table}.at_ms, {table}.{column} FROM {inventory} CROSS JOIN {table}"  # noqa: S608
        f" WHERE {inventory}.host_id = {_HOST}{own} AND {table}.{inventory}_id = {inventory}.id"
        f" AND {table}.{_PERIOD} AND {table}.{column} IS NOT NULL ORDER BY {label}, {table}.at_ms"
    )


def labels(source: Source, host: str, name: str) -> tuple[str, ...]:
    """Every label that the metric ever had on that host."""
    metric = CATALOGUE[name]
    if not metric.label:
        return ()
    _, inventory, key = SAMPLE_TABLES[metric.table]
    generic = _generic(metric)
    key = "label" if generic else key
    text = f"SELECT {key} FROM {inventory} WHERE host_id = {_HOST}"  # noqa: S608 - names of ours
    values = {"host": host} | ({"metric": name} if generic else {})
    found = answer(source, text + (" AND metric = :metric" if generic else ""), values).rows
    return tuple(sorted(str(row[0]) for row in found))


def newest_polls(path: Path) -> dict[int, int]:
    """When each host (by its number) was polled last."""
    with reading(path) as connection:
        return dict(connection.execute(statements()["newest_polls"]).fetchall())

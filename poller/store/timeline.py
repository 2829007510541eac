"""What happened: events, from the journal or the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


def newest_polls(path: Path) -> dict[int, int]:
    """When each host (by its number) was polled last."""
    with reading(path) as connection:
        return dict(connection.execute(statements()["newest_polls"]).fetchall())

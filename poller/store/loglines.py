"""Log lines as they were stored, and how the logs they come from are; from the journal or the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poller.model import Severity
from poller.store.paging import Book, Row, Source, at_least, globs, of_hosts, pages
from poller.store.query import answer


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One line. `at_ms` is its own time by the host's clock; `seen_ms` is of the poll that brought it."""

    at_ms: int
    host_id: int
    seen_ms: int
    number: int
    host: str
    log: str
    path: str
    program: str
    pid: int | None
    priority: int | None
    severity: str
    repeats: int
    trusted: bool
    message: str


@dataclass(frozen=True, slots=True)
class LineFilter:
    """`hosts` are names (None: all), `logs` and `programs` globs (none: all)."""

    hosts: tuple[str, ...] | None = None
    logs: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    severity: Severity = Severity.LOW

    def book(self) -> Book:
        """CROSS JOIN, so that SQLite goes by the lines: their index has them in the order of time."""
        book = Book(
            "SELECT log_line.at_ms, log_line.host_id, log_line.seen_ms, log_line.number, host.name, log_line.log,"
            " log_line.path, log_line.program, log_line.pid, log_line.priority, log_line.severity, log_line.repeats,"
            " log_line.trusted, log_line.message FROM log_line CROSS JOIN host",
            ("log_line.at_ms", "log_line.host_id", "log_line.seen_ms", "log_line.number"),
        ).where("host.id = log_line.host_id")
        if self.hosts is not None:
            condition, values = of_hosts("log_line.host_id", self.hosts)
            book = book.where(condition, **values)
        for column, patterns in (("log", self.logs), ("program", self.programs)):
            if patterns:
                condition, values = globs(f"log_line.{column}", patterns, column)
                book = book.where(condition, **values)
        return book.where(at_least("log_line.severity", self.severity)) if self.severity > Severity.LOW else book


def lines(
    source: Source, wanted: LineFilter, since_ms: int, until_ms: int, *, newest_first: bool = False
) -> Iterator[list[StoredLine]]:
    """Lines between two instants of the hosts' clocks, page by page."""
    for page in pages(source, wanted.book(), since_ms, until_ms, newest_first=newest_first):
        yield [_line(row) for row in page]


def lines_after(path: Path, wanted: LineFilter, host_id: int, after_ms: int, until_ms: int) -> list[StoredLine]:
    """What the polls of one host after one instant and up to another brought, as it came."""
    book = wanted.book().where("log_line.host_id = :host_id", host_id=host_id)
    text = book.text(
        "log_line.seen_ms > :after_ms", "log_line.seen_ms <= :until_ms", order=("log_line.seen_ms", "log_line.number")
    )
    return [_line(row) for row in answer(path, text, {**book.values, "after_ms": after_ms, "until_ms": until_ms}).rows]


def _line(row: Row) -> StoredLine:
    at_ms, host_id, seen_ms, number, host, log, path, program, pid, priority, severity, repeats, trusted, message = row
    return StoredLine(
        at_ms,
        host_id,
        seen_ms,
        number,
        host,
        log,
        path,
        program,
        pid,
        priority,
        severity,
        repeats,
        bool(trusted),
        message,
    )


@dataclass(frozen=True, slots=True)
class LogState:
    """A log that is not simply read to its end. `log` is "" when the whole section could not be read."""

    host: str
    log: str
    path: str
    state: str
    reason: str
    behind_bytes: int
    lost_bytes: int
    seen_ms: int


# A file that is no longer among those of its <log> keeps its row, with the last poll that saw it.
_NEWEST = (
    "log_source.last_seen_ms >= COALESCE((SELECT MAX(last_seen_ms) FROM section_state"
    " WHERE section_state.host_id = log_source.host_id AND section = 'logs'), 0)"
)


def troubled(source: Source, wanted: LineFilter) -> list[LogState]:
    """Every log of these hosts that is behind, absent, denied or failed."""
    book = Book(
        "SELECT host.name, log_source.log, log_source.path, log_source.state, log_source.reason,"
        " log_source.behind_bytes, log_source.lost_bytes, log_source.last_seen_ms FROM log_source CROSS JOIN host",
        ("host.name", "log_source.log", "log_source.path"),
    ).where("host.id = log_source.host_id", "log_source.state <> 'ok'", _NEWEST)
    sections = Book(
        "SELECT host.name, '', '', status, reason, 0, 0, section_state.last_seen_ms FROM section_state CROSS JOIN host",
        ("host.name",),
    ).where("host.id = section_state.host_id", "section = 'logs'", "status <> 'ok'")
    if wanted.hosts is not None:
        condition, values = of_hosts("host.id", wanted.hosts)
        book, sections = book.where(condition, **values), sections.where(condition, **values)
    if wanted.logs:
        condition, values = globs("log_source.log", wanted.logs, "log")
        book = book.where(condition, **values)
    return [LogState(*row) for one in (sections, book) for row in answer(source, one.text(), one.values).rows]


def log_names(source: Source) -> tuple[str, ...]:
    """Every log that was ever asked for, by its name in config.xml."""
    return tuple(row[0] for row in answer(source, "SELECT DISTINCT log FROM log_source ORDER BY log", {}).rows)

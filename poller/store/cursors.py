"""How far the logs of a host were read: each line counts exactly once, whoever asked for it.

A probe goes on from the cursor in its request and repeats it (`began`). Two pollers may ask one host one after the
other with the same cursor; both are brought the same lines, and the second to store them finds that the journal is
further. What its report told of that log is then left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import is_
from typing import Final

from poller.model import (
    Before,
    JournalEntry,
    KernelLog,
    KernelMessage,
    LoginRecord,
    LogSource,
    LogText,
    People,
    Poll,
    Reading,
    Row,
    Section,
)
from poller.store.sql import statements

# The rows that say how far was read. (To ask for a union of types takes several times as long as for a tuple.)
_KINDS: Final = (KernelLog, People, LogSource)

# The path of an entry of the journal, as its LogSource has it.
JOURNAL: Final = "journal"


def _of_log(row: LogSource | LogText) -> str:
    return f"logs\n{row.log}\n{row.path}"


# Row -> the name of the cursor that says how far was read.
_PLACES: Final[dict[type[Row], Callable[..., str]]] = {
    KernelLog: lambda row: "kernel",
    People: lambda row: "people",
    LogSource: _of_log,
}
# Row that was read from a log -> the same name.
_READ: Final[dict[type[Row], Callable[..., str]]] = {
    KernelMessage: lambda row: "kernel",
    LoginRecord: lambda row: "people",
    LogText: _of_log,
    JournalEntry: lambda row: f"logs\n{row.log}\n{JOURNAL}",
}
_SECTIONS: Final = frozenset({"kernel", "people", "logs"})


def unread(before: Before, poll: Poll) -> Poll:
    """The poll without what the journal has been told already, or what has no cursor to go on with.

    Where something was left out its log looks as if nothing had been read: `began` and `cursor` are the journal's.
    """
    if poll.report is None or not any(section.name in _SECTIONS for section in poll.report.now.sections):
        return poll
    now = poll.report.now
    sections = tuple(
        _once(section, before.cursors) if section.name in _SECTIONS else section for section in now.sections
    )
    if all(map(is_, sections, now.sections)):
        return poll
    readings = (*poll.report.readings[:-1], replace(now, sections=sections))
    return replace(poll, report=replace(poll.report, readings=readings))


def _once(section: Section, cursors: Mapping[str, str]) -> Section:
    fresh = {name for row in section.rows if (name := _place(row)) and _goes_on(row, cursors.get(name, ""))}
    kept = [_kept(row, fresh, cursors) for row in section.rows]
    if all(map(is_, kept, section.rows)):
        return section
    return replace(section, rows=tuple(row for row in kept if row is not None))


def _kept(row: Row, fresh: set[str], cursors: Mapping[str, str]) -> Row | None:
    read = _READ.get(type(row))
    if read is not None:
        return row if read(row) in fresh else None
    name = _place(row)
    if not name or name in fresh:
        return row
    place = cursors.get(name, "")
    if isinstance(row, People):
        return replace(row, began=place, cursor=place)
    assert isinstance(row, KernelLog | LogSource)  # noqa: S101 - what else has a place
    return replace(row, began=place, cursor=place, lost=0)


def _place(row: Row) -> str:
    found = _PLACES.get(type(row))
    return found(row) if found else ""


def _goes_on(row: Row, place: str) -> bool:
    """Whether it was read from where the journal stands, to another place that it names."""
    return isinstance(row, _KINDS) and row.began == place and row.cursor != ""


def store_cursors(
    connection: sqlite3.Connection, host_id: int, at_ms: int, reading: Reading, cursors: Mapping[str, str]
) -> None:
    """Where the logs go on. One that was not read from where the journal stands, or gives no place, changes nothing."""
    rows = [
        {"host_id": host_id, "name": name, "place": row.cursor, "at_ms": at_ms}
        for section in reading.sections
        if section.name in _SECTIONS
        for row in section.rows
        if isinstance(row, _KINDS)
        if (name := _place(row)) and row.cursor != row.began and _goes_on(row, cursors.get(name, ""))
    ]
    if rows:
        connection.executemany(statements()["place_cursor"], rows)

"""A journal attached to the connection of an archive in SQLite: samples go over without passing through the program.

Nearly all that a poll brings are samples, and to read them into Python and bind them again took longer than to store
them. Here one INSERT ... SELECT per table and batch takes them over; ids are exchanged by a table in memory. All else
is carried by `rows`, in the same transaction.

The journal is attached to be read only: the lock is the archive's alone, and polls are stored meanwhile. Nothing here
decides what was shipped. From the first sample to the commit, the journal's log may not be cut.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from poller.errors import StoreError
from poller.store.archive.sqlite_faults import translated
from poller.store.archive.statements import on_conflict
from poller.store.archive.tables import SAMPLES, Table, columns
from poller.store.database import IN_MEMORY

PollKey = tuple[str, int, int]
Thing = tuple[str, int, int, int]

# SQLite before 3.32 takes 999 values per statement.
_AT_ONCE: Final = 900
_SPAN: Final = "CREATE TEMP TABLE span (host_id INTEGER, first_ms INTEGER, last_ms INTEGER)"
_THING: Final = """
CREATE TEMP TABLE thing (
    inventory TEXT, host_id INTEGER, there INTEGER, id INTEGER, PRIMARY KEY (inventory, host_id, there)
) WITHOUT ROWID
"""


class Attached:
    """Implements `Crossing` on the connection of an archive, which it does not own."""

    def __init__(self, connection: sqlite3.Connection, path: Path, journal: Path) -> None:
        self._connection = connection
        self._path = path
        self._journal = journal
        self._noted: set[Thing] = set()

    @classmethod
    def to(cls, connection: sqlite3.Connection, path: Path, journal: Path) -> Attached | None:
        """`path`: of the archive. None when SQLite does not attach the journal: no file, another text encoding."""
        if journal == IN_MEMORY:
            return None
        try:
            connection.execute("ATTACH ? AS journal", (f"file:{quote(str(journal))}?mode=ro",))
            connection.execute(_SPAN)
            connection.execute(_THING)
        except sqlite3.Error:
            return None
        return cls(connection, path, journal)

    def close(self) -> None:
        with translated(self._path):
            self._connection.execute("DETACH journal")

    def forget(self) -> None:
        self._noted.clear()

    def take(self, polls: Sequence[PollKey], things: Iterable[Thing]) -> int:
        with translated(self._path):
            self._check(polls)
            self._connection.execute("DELETE FROM temp.span")
            self._connection.executemany("INSERT INTO temp.span VALUES (?, ?, ?)", list(self._spans(polls)))
            self._note(things)
            return sum(self._connection.execute(_statement(table)).rowcount for table in SAMPLES.values())

    def _check(self, polls: Sequence[PollKey]) -> None:
        """A file that was put in the place of the journal has other polls, or other ids for the same ones."""
        wanted = sorted(polls)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            found = self._connection.execute(
                f"SELECT id, host_id, at_ms FROM journal.poll WHERE id IN ({', '.join('?' * len(some))}) ORDER BY id",  # noqa: S608 - signs for values
                [poll[0] for poll in some],
            ).fetchall()
            if found != some:
                raise StoreError(f"{self._journal}: it is not the journal that was opened", code="store")

    def _spans(self, polls: Sequence[PollKey]) -> Iterator[tuple[int, int, int]]:
        """(host, first instant, last one), both included, with no other poll of that host between them."""
        instants: dict[int, set[int]] = {}
        for _, host, at_ms in polls:
            instants.setdefault(host, set()).add(at_ms)
        for host, found in sorted(instants.items()):
            first, last = min(found), max(found)
            (count,) = self._connection.execute(
                "SELECT COUNT(DISTINCT at_ms) FROM journal.poll WHERE host_id = ? AND at_ms BETWEEN ? AND ?",
                (host, first, last),
            ).fetchone()
            if count == len(found):
                yield host, first, last
            else:
                yield from ((host, at_ms, at_ms) for at_ms in sorted(found))

    def _note(self, things: Iterable[Thing]) -> None:
        if not self._noted:
            self._connection.execute("DELETE FROM temp.thing")
        new = set(things) - self._noted
        self._connection.executemany("INSERT INTO temp.thing VALUES (?, ?, ?, ?)", sorted(new))
        self._noted |= new


@functools.cache
def _statement(table: Table) -> str:
    """Along the primary keys of both databases, in the order in which the archive keeps the rows."""
    name, (column, inventory) = table.name, table.parent or ("", "")
    names = columns(name)
    cells = ", ".join("thing.there" if each == column else f"came.{each}" for each in names)
    return (
        f"INSERT INTO main.{name} ({', '.join(names)}) SELECT {cells}"  # noqa: S608 - names of ours
        f" FROM temp.span CROSS JOIN temp.thing CROSS JOIN journal.{name} AS came"
        f" WHERE thing.inventory = '{inventory}' AND thing.host_id = span.host_id AND came.{column} = thing.id"
        f" AND came.{table.time} BETWEEN span.first_ms AND span.last_ms{on_conflict(name, names, current=True)}"
    )

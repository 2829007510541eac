"""What waits in the journal for its archive: read in the order of commits, forgotten when it has arrived."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.errors import StoreError
from poller.store.database import immediate
from poller.store.faults import translated
from poller.store.hosts import storable
from poller.store.sql import statements

# Note in `housekeeping`: what was before this instant was never queued, and nobody has copied it yet.
UNCOPIED: Final = "history before the archive"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of `outgoing`: something that is new or has changed. `item` is its id; of the host for `limits`."""

    seq: int
    kind: str
    item: str
    at_ms: int


class Queue:
    """The tables outgoing, rejected and archive_state, over the connection of the journal."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self._path = path

    def next(self, polls: int, items: int, lines: int = 1 << 30) -> tuple[Item, ...]:
        """The oldest entries: up to so many polls with what comes between them, up to so many entries in all.

        With so many log lines it is enough, so that what one poll brought is the most there can be beyond them.
        """
        with translated(self._path):
            rows = self.connection.execute(statements()["next_outgoing"], {"polls": polls, "items": items}).fetchall()
            found = [Item(*row) for row in rows]
            return tuple(found[: self._enough(found, lines)])

    def _enough(self, items: Sequence[Item], lines: int) -> int:
        """How many of these bring so many log lines."""
        if not items:
            return 0
        span = {"first": items[0].seq, "last": items[-1].seq}
        counts = dict(self.connection.execute(statements()["lines_of"], span).fetchall())
        total = 0
        for place, item in enumerate(items, 1):
            total += counts.get(item.seq) or 0
            if total >= lines:
                return place
        return len(items)

    def waiting(self) -> int:
        """How many polls."""
        with translated(self._path):
            polls: int = self.connection.execute(statements()["waiting"]).fetchone()[1]
        return polls

    def oldest(self) -> int | None:
        """The instant of the poll that waits longest; None when none does."""
        with translated(self._path):
            at_ms: int | None = self.connection.execute(statements()["waiting"]).fetchone()[2]
        return at_ms

    def done(self, items: Sequence[Item], refused: Sequence[tuple[Item, StoreError]], now_ms: int) -> None:
        """These have arrived, or never will: `refused` are among them."""
        with self.writing():
            for item, error in refused:
                row = {"seq": item.seq, "kind": item.kind, "item": item.item, "at_ms": item.at_ms}
                told = {"now_ms": now_ms, "error": storable(error.sentence)}
                self.connection.execute(statements()["add_rejected"], row | told)
            if items:
                span = {"first": items[0].seq, "last": items[-1].seq}
                self.connection.execute(statements()["drop_outgoing"], span)
            self.connection.execute(statements()["note_shipped"], {"now_ms": now_ms})

    def away(self, error: StoreError, now_ms: int) -> None:
        """Puts on record that the archive cannot be used, since when and why."""
        values = {"now_ms": now_ms, "code": error.code, "error": storable(error.sentence)}
        with self.writing():
            self.connection.execute(statements()["note_away"], values)

    def retry(self) -> int:
        """Queues again what was refused; returns how many."""
        with self.writing():
            count = self.connection.execute(statements()["retry_rejected"]).rowcount
            self.connection.execute(statements()["forget_rejected"])
        return count

    def enable(self, *, archived: bool, now_ms: int) -> None:
        """From now on changes are queued, or are not. History that is there already is not; that is noted."""
        with translated(self._path):
            (enabled,) = self.connection.execute("SELECT enabled FROM archive_state").fetchone()
        if bool(enabled) == archived:
            return  # nearly always: nobody has to wait for the right to write
        with self.writing():
            changed = self.connection.execute(statements()["enable_archive"], {"enabled": int(archived)}).rowcount
            if changed and archived and self.connection.execute(statements()["has_hosts"]).fetchone()[0]:
                self.connection.execute(statements()["note_done"], {"task": UNCOPIED, "now_ms": now_ms})

    def copied(self) -> None:
        """Somebody has copied the history."""
        with self.writing():
            self.connection.execute(statements()["forget_done"], {"task": UNCOPIED})

    @contextmanager
    def writing(self) -> Iterator[None]:
        with translated(self._path), immediate(self.connection):
            yield

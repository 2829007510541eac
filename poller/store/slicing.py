"""Long work in small lots: a transaction does so little that a poll which waits for it is not late, and then rests."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from poller.store.aging import Aging

# Of the widest rows so many are deleted in about 20 ms.
ROWS_AT_ONCE: Final = 1000
# One question finds out which of so many things have old rows at all: about 10 ms.
_THINGS_AT_ONCE: Final = 5000
_MOST_PAUSE_SECONDS: Final = 0.05
Lot = list[dict[str, int]]


def give_way(stop: threading.Event, start: float) -> None:
    """Between two transactions others get as much time as the one since `start` (monotonic) took, within bounds."""
    stop.wait(min(_MOST_PAUSE_SECONDS, time.monotonic() - start))


def lots(connection: sqlite3.Connection, aged: Aging, things: Iterable[tuple[int, int]], at_most: int) -> Iterator[Lot]:
    """Parameters of `aged.deletion()`: ids with the instant before which each one's rows go, as (id, instant) has it.

    A lot is about `at_most` rows, of one thing or several; more only when so many are of one instant. Each is looked
    for when the one before is done with, and nothing that was in one comes again, deleted or not.
    """
    lot: Lot = []
    room = at_most
    for number, before_ms in _aged_things(connection, aged, things):
        from_ms = 0
        while True:
            count = _count(connection, aged, number, from_ms, before_ms - aged.lasts_ms, at_most + 1)
            if count <= room:
                break
            if lot:
                yield lot
                lot, room = [], at_most
                continue
            from_ms = _after(connection, aged, number, from_ms, before_ms - aged.lasts_ms, at_most)
            yield [{"id": number, "before_ms": from_ms + aged.lasts_ms}]
        if count:
            lot.append({"id": number, "before_ms": before_ms})
            room -= count
    if lot:
        yield lot


def with_old_rows(
    connection: sqlite3.Connection, aged: Aging, before_ms: int, first: int = 0, last: int = (1 << 63) - 1
) -> list[int]:
    """Ids of the things (of those from `first` to `last`) that have any row from before then, in one question.

    Of a million peers few have, most are younger, and to ask for each of them would take longest.
    """
    seen = "" if aged.inventory == "host" else f" AND {seen_before(aged.inventory)}"
    text = (
        f"SELECT id FROM {aged.inventory} WHERE id BETWEEN :first AND :last{seen} AND EXISTS"  # noqa: S608 - ours
        f" (SELECT 1 FROM {aged.table} WHERE {aged.owner} = {aged.inventory}.id"
        f" AND {aged.time} < :before_ms - {aged.lasts_ms})"
    )
    return [number for (number,) in connection.execute(text, {"before_ms": before_ms, "first": first, "last": last})]


def seen_before(inventory: str) -> str:
    """Condition on things: there before :before_ms, or first seen by a clock that was ahead, so that nobody knows."""
    first = f"{inventory}.first_seen_ms"
    return f"({first} < :before_ms OR {first} > {inventory}.last_seen_ms)"


def _aged_things(
    connection: sqlite3.Connection, aged: Aging, things: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Those that may have old rows."""
    rest = iter(things)
    while some := list(islice(rest, _THINGS_AT_ONCE)):
        ids = [number for number, _ in some]
        newest_ms = max(before_ms for _, before_ms in some)
        found = set(with_old_rows(connection, aged, newest_ms, min(ids), max(ids)))
        yield from (one for one in some if one[0] in found)


def _count(connection: sqlite3.Connection, aged: Aging, number: int, from_ms: int, before_ms: int, at_most: int) -> int:
    """How many rows of one thing there are in that time; counts no further than `at_most`."""
    text = (
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {aged.table}"  # noqa: S608 - names of ours
        f" WHERE {aged.owner} = ? AND {aged.time} >= ? AND {aged.time} < ? LIMIT ?)"
    )
    found: int = connection.execute(text, (number, from_ms, before_ms, at_most)).fetchone()[0]
    return found


def _after(connection: sqlite3.Connection, aged: Aging, number: int, from_ms: int, before_ms: int, count: int) -> int:
    """The instant that ends the first `count` rows from `from_ms` on; rows of one instant stay together.

    Never beyond `before_ms`: since they were counted others may have deleted some.
    """
    text = (
        f"SELECT {aged.time} FROM {aged.table} WHERE {aged.owner} = ? AND {aged.time} >= ?"  # noqa: S608 - ours
        f" AND {aged.time} < ? ORDER BY {aged.time} LIMIT 1 OFFSET ?"
    )
    first = connection.execute(text, (number, from_ms, before_ms, 0)).fetchone()
    last = connection.execute(text, (number, from_ms, before_ms, count)).fetchone()
    if first is None or last is None:
        return before_ms
    return max(int(last[0]), int(first[0]) + 1)


def steps(connection: sqlite3.Connection, table: str, time: str, before_ms: int, at_most: int) -> Iterator[int]:
    """Instants up to `before_ms`, with about `at_most` rows of a table between two of them; `time` is indexed."""
    text = f"SELECT {time} FROM {table} WHERE {time} >= ? AND {time} < ? ORDER BY {time} LIMIT 1 OFFSET ?"  # noqa: S608
    from_ms = 0
    while row := connection.execute(text, (from_ms, before_ms, at_most)).fetchone():
        from_ms = row[0] if row[0] > from_ms else from_ms + 1
        yield from_ms
    yield before_ms


def unseen(connection: sqlite3.Connection, table: str, before_ms: int, at_most: int) -> Iterator[Lot]:
    """Things last seen before that, as parameters of their deletion by id; looked for between two transactions."""
    text = f"SELECT id FROM {table} WHERE id > ? AND last_seen_ms < ? ORDER BY id LIMIT ?"  # noqa: S608 - names of ours
    after = -1
    while found := connection.execute(text, (after, before_ms, at_most)).fetchall():
        yield [{"id": number, "before_ms": before_ms} for (number,) in found]
        after = found[-1][0]

"""What a host has: ids by natural key, first and last seen, and when it was gone."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from poller.model import Reading, Row, Section
from poller.probe.sight import complete
from poller.store.kinds import EPISODIC, KINDS, LOG_SOURCE, PATIENCE_MS, SECTION_STATE, Key, Kind
from poller.store.pending import Pending


class Thing(NamedTuple):
    """One row as it stands in the database."""

    id: int
    changing: Key
    last_seen_ms: int


class Sighting(NamedTuple):
    """What one report showed: (table, key) -> id for tables with a key of one column; the sections of which all was
    read; and when all of each section was read before."""

    ids: dict[tuple[str, str], int]
    complete: frozenset[str]
    before: Mapping[str, int | None]


# What is read from rows of the report, by their type; connections are found by comparing two reports.
_READ: Final = {kind.row: (kind, kind.read, len(kind.key)) for kind in KINDS if kind.row and kind.table != "connection"}
_EPISODIC_SECTIONS: Final = frozenset(kind.section for kind in EPISODIC if kind.table != "connection")
_GONE: Final = tuple(kind for kind in EPISODIC if kind.table != "connection")

Known = dict[Key, Thing]
Seen = Mapping[Key, Key]


class Inventory:
    """Knows what was seen lately, so that a poll costs few look-ups. `forget` after a rollback."""

    def __init__(self, connection: sqlite3.Connection, pending: Pending) -> None:
        self._connection = connection
        self._pending = pending
        self._known: dict[tuple[str, int], Known] = {}
        self._rows: dict[tuple[str, int], tuple[int, tuple[Row, ...]]] = {}

    def forget(self) -> None:
        self._known.clear()
        self._rows.clear()

    def forget_host(self, host_id: int) -> None:
        """What another process has stored of it may be newer."""
        for kind in KINDS:
            self._known.pop((kind.table, host_id), None)
        for section in _EPISODIC_SECTIONS:
            self._rows.pop((section, host_id), None)

    def see(self, host_id: int, at_ms: int, reading: Reading) -> Sighting:
        """Records everything in the reading as seen, and what is no longer there as gone."""
        states = self._load(SECTION_STATE, host_id)
        before = {section: thing.changing[-1] for (section,), thing in states.items()}
        whole = frozenset(section.name for section in reading.sections if complete(section))
        same = frozenset(section.name for section in reading.sections if self._is_same(host_id, at_ms, section, whole))
        seen = _seen(section for section in reading.sections if section.name not in same)
        seen["log_source"] = self._with_all_lost(host_id, seen.get("log_source", {}))
        seen["section_state"] = self._rest_of_states(host_id, at_ms, _states(reading, before, at_ms), states)
        ids: dict[tuple[str, str], int] = {}
        for kind in KINDS:
            found = seen.get(kind.table)
            if found:
                for key, number in self.note(kind, host_id, at_ms, found).items():
                    ids[kind.table, key[0]] = number
        for kind in _GONE:
            if kind.section in whole and kind.section not in same:
                self.miss(kind, host_id, at_ms, seen.get(kind.table, {}), before.get(kind.section))
                self._keep_rows(kind, host_id, at_ms, reading)
        return Sighting(ids, whole, before)

    def _is_same(self, host_id: int, at_ms: int, section: Section, whole: frozenset[str]) -> bool:
        """Whether it holds what comes and goes, and every row of it is the very one that was noted lately."""
        place = section.name, host_id
        if section.name not in _EPISODIC_SECTIONS or section.name not in whole:
            self._rows.pop(place, None)
            return False
        noted_ms, rows = self._rows.get(place, (0, None))
        return rows is section.rows and 0 <= at_ms - noted_ms < PATIENCE_MS

    def _keep_rows(self, kind: Kind, host_id: int, at_ms: int, reading: Reading) -> None:
        """Until the first of these things must be noted anew, there is nothing to do while the rows are the same."""
        section = reading.section(kind.section)
        assert section is not None  # noqa: S101 - all of it was read
        things = self._known[kind.table, host_id].values()
        noted_ms = min((thing.last_seen_ms for thing in things), default=at_ms)
        self._rows[kind.section, host_id] = noted_ms, section.rows

    def _rest_of_states(self, host_id: int, at_ms: int, seen: Seen, known: Known) -> Seen:
        """How the sections were read, without those that were read to their end as they were the last time: of them
        only the instants change, and in one statement."""
        last_ms = max((thing.last_seen_ms for thing in known.values()), default=at_ms)
        again = {key for key, thing in known.items() if thing.last_seen_ms == thing.changing[-1] == last_ms}
        if last_ms >= at_ms or not all(
            key in seen and seen[key] == (*known[key].changing[:-1], at_ms) for key in again
        ):
            return seen
        self._pending.add(_AGAIN, [(at_ms, at_ms, host_id, last_ms, last_ms)])
        for key in again:
            known[key] = Thing(known[key].id, seen[key], at_ms)
        return {key: changing for key, changing in seen.items() if key not in again}

    def note(self, kind: Kind, host_id: int, at_ms: int, seen: Seen, known: Known | None = None) -> dict[Key, int]:
        """These are there now, as they are now; their ids. `known`: what is known of them, where that was asked for."""
        if not seen:
            return {}
        if known is None:
            known = self._load(kind, host_id, seen)
            if any(key in known and at_ms - known[key].last_seen_ms > _LONG_MS for key in seen):
                self.drop(kind, host_id)  # what nobody saw for long may have been deleted since
                known = self._load(kind, host_id, seen)
        changed: list[Key] = []
        touched: list[Key] = []
        for key, changing in seen.items():
            thing = known.get(key)
            if thing is None:
                known[key] = Thing(self._add(kind, host_id, at_ms, key, changing), changing, at_ms)
                continue
            if thing.changing != changing:
                changed.append((*changing, at_ms, thing.id))
            elif abs(at_ms - thing.last_seen_ms) >= kind.patience_ms:
                touched.append((at_ms, thing.id))
            else:
                continue
            known[key] = Thing(thing.id, changing, at_ms)
        self._write(_change(kind), changed)
        self._write(_touch(kind.table), touched)
        return {key: known[key].id for key in seen}

    def miss(self, kind: Kind, host_id: int, at_ms: int, seen: Iterable[Key], before_ms: int | None) -> None:
        """Of what comes and goes all is gone but what was seen. `before_ms`: all of it was there then at the latest."""
        known = self._load(kind, host_id)
        gone = known.keys() - seen
        if gone:
            things = [known.pop(key) for key in gone]
            rows = [(max(thing.last_seen_ms, before_ms or 0), at_ms, thing.id) for thing in things]
            self._write(f"UPDATE {kind.table} SET last_seen_ms = ?, gone_ms = ? WHERE id = ?", rows)  # noqa: S608 - ours

    def drop(self, kind: Kind, host_id: int) -> None:
        """There may be so many of them that they are not kept in mind until the next poll."""
        self._known.pop((kind.table, host_id), None)

    def things(self, kind: Kind, host_id: int, seen: Iterable[Key]) -> Known:
        """What is known of these."""
        return self._load(kind, host_id, seen)

    def _with_all_lost(self, host_id: int, seen: Seen) -> Seen:
        """The bytes that each log lost now, added to those that it lost before."""
        known = self._load(LOG_SOURCE, host_id) if seen else {}
        return {
            key: (*now[:-1], now[-1] + (known[key].changing[-1] if key in known else 0)) for key, now in seen.items()
        }

    def _load(self, kind: Kind, host_id: int, seen: Iterable[Key] = ()) -> Known:
        if kind.find_by:
            return self._find_some(kind, host_id, seen)
        known = self._known.get((kind.table, host_id))
        if known is None:
            found = self._connection.execute(_find(kind), (host_id,)).fetchall()
            known = self._known[kind.table, host_id] = _things(kind, found)
        return known

    def _find_some(self, kind: Kind, host_id: int, seen: Iterable[Key]) -> Known:
        place = kind.key.index(kind.find_by)
        wanted = sorted({key[place] for key in seen})
        rows: list[Key] = []
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            text = f"{_find(kind)} AND {kind.find_by} IN ({', '.join('?' * len(some))})"
            rows += self._connection.execute(text, (host_id, *some)).fetchall()
        return _things(kind, rows)

    def _add(self, kind: Kind, host_id: int, at_ms: int, key: Key, changing: Key) -> int:
        cursor = self._connection.execute(_insert(kind), (host_id, *key, *changing, at_ms, at_ms))
        assert cursor.lastrowid is not None  # noqa: S101 - an INSERT always sets it
        return cursor.lastrowid

    def _write(self, text: str, rows: list[Key]) -> None:
        if rows:
            self._pending.add(text, rows)


_AGAIN: Final = (
    "UPDATE section_state SET complete_ms = ?, last_seen_ms = ?"
    " WHERE host_id = ? AND last_seen_ms = ? AND complete_ms = ?"
)
# Retention is never as short, and patience never as long.
_LONG_MS: Final = 3_600_000
# SQLite before 3.32 takes 999 values per statement.
_AT_ONCE: Final = 900


def _seen(sections: Iterable[Section]) -> dict[str, Seen]:
    seen: dict[str, dict[Key, Key]] = {}
    for section in sections:
        for row in section.rows:
            found = _READ.get(type(row))
            if found:
                kind, read, cut = found
                values = read(row)
                seen.setdefault(kind.table, {})[values[:cut]] = values[cut:]
    # The first row of /proc/stat is the sum of all cores, not a core.
    seen.get("core", {}).pop(("all",), None)
    return dict(seen)


def _states(reading: Reading, before: Mapping[str, int | None], at_ms: int) -> Seen:
    return {
        (section.name,): (
            section.status.value,
            section.reason,
            at_ms if complete(section) else before.get(section.name),
        )
        for section in reading.sections
    }


def _things(kind: Kind, rows: Iterable[Any]) -> Known:
    cut = 1 + len(kind.key)
    return {row[1:cut]: Thing(row[0], row[cut:-1], row[-1]) for row in rows}


@functools.cache
def _find(kind: Kind) -> str:
    """Of what comes and goes only what is there."""
    names = ", ".join(("id", *kind.key, *kind.changing, "last_seen_ms"))
    there = " AND gone_ms IS NULL" if kind.section else ""
    return f"SELECT {names} FROM {kind.table} WHERE host_id = ?{there}"  # noqa: S608 - names of ours


@functools.cache
def _insert(kind: Kind) -> str:
    names = ("host_id", *kind.key, *kind.changing, "first_seen_ms", "last_seen_ms")
    return f"INSERT INTO {kind.table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - ours


@functools.cache
def _change(kind: Kind) -> str:
    changes = ", ".join(f"{name} = ?" for name in (*kind.changing, "last_seen_ms"))
    return f"UPDATE {kind.table} SET {changes} WHERE id = ?"  # noqa: S608 - names of ours


@functools.cache
def _touch(table: str) -> str:
    return f"UPDATE {table} SET last_seen_ms = ? WHERE id = ?"  # noqa: S608 - names of ours

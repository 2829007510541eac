"""Rows on their way from one database to another, by table, as their source has them; and how they are written.

The ids that are each database's own are exchanged on the way: a host is found by its name, a thing by its host and
natural key. Rows arrive in the order of the registry, so that what is pointed to is there first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from poller.errors import StoreError
from poller.model.contracts import Archive, Condition, Crossing, Question
from poller.store.archive.tables import ALERT, HOST, POLL, SAMPLES, TABLES, Table, columns

Row = tuple[Any, ...]
IDS_AT_ONCE: Final = 500
_LIMITS_AT_MOST: Final = 1 << 30
_KNOWN_AT_MOST: Final = 50_000
# What rows of other tables belong to.
_OWNERS: Final = frozenset(table.parent[1] for table in TABLES.values() if table.parent)
_SAMPLED: Final = frozenset(table.parent[1] for table in SAMPLES.values() if table.parent)
_FIRST_SAMPLES: Final = next(name for name in TABLES if name in SAMPLES)


@dataclass(frozen=True, slots=True)
class Rows:
    """Complete rows by table: all columns of the schema, in its order, with the ids of the source.

    `limits`: hosts (ids of the source) all of whose rows of limit_state are here, so that others are no more.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    limits: set[int] = field(default_factory=set)

    def add(self, table: str, rows: Iterable[Row]) -> None:
        self.tables.setdefault(table, []).extend(rows)

    def of(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.tables.values())


class Target:
    """An archive, with the ids and the present state of things of one source there. `forget` after a rollback."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._known: dict[str, dict[Row, tuple[int, Row]]] = {}  # table -> natural key -> id, the rest of the row
        self._loaded: dict[str, set[int]] = {}  # inventory -> ids of the hosts whose things are known
        self._ids: dict[str, dict[int, int]] = {}  # table -> id of the source -> id here
        self._sent: dict[str, dict[int, Row]] = {}  # table -> id of the source -> its row as it was written last

    def forget(self) -> None:
        """Ids that were given inside a transaction that is no more are not true."""
        self._known.clear()
        self._loaded.clear()
        self._ids.clear()
        self._sent.clear()

    def write(self, rows: Rows, *, current: bool, crossing: Crossing | None = None) -> int:
        """Inside a transaction of the archive. Returns how many rows it was told to store.

        Every host and thing that a row belongs to is among the rows, or was in an earlier call. With a `crossing`
        they bring no samples: these are taken over by it, when what they belong to is there.
        """
        written = 0
        for name, table in TABLES.items():
            if crossing is not None and name == _FIRST_SAMPLES and rows.of(POLL.name):
                written += crossing.take(_keys(rows), self._things(rows))
            found = rows.of(name)
            if name == "limit_state" and rows.limits:
                hosts = tuple(self._ids["host"][number] for number in sorted(rows.limits))
                self.archive.remove(name, (Condition("host_id", "in", hosts),), _LIMITS_AT_MOST)
            if not found:
                continue
            if table.own_ids:
                written += self._write_things(table, found, current=current)
                continue
            if table is ALERT:
                found = self._superseding(found, current=current)
            mapped = self._mapped(table, found)
            self.archive.put(name, table.columns, mapped, current=current)
            written += len(mapped)
        return written

    def id_of(self, table: str, number: int) -> int:
        """The id here of a host or thing of the source that was written before."""
        return self._ids[table][number]

    def _things(self, rows: Rows) -> Iterator[tuple[str, int, int, int]]:
        """What samples may belong to, as a `Crossing` wants it."""
        for name in _SAMPLED:
            host = 0 if name == HOST.name else columns(name).index("host_id")
            ids = self._ids.get(name, {})
            yield from ((name, row[host], ids[row[0]], row[0]) for row in rows.of(name))

    def _mapped(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """With the id here of what each belongs to; NULL stays (an event of the poller itself)."""
        if table.parent is None:
            return list(rows)
        column, parent = table.parent
        place = columns(table.name).index(column)
        ids: dict[Any, int | None] = {None: None, **self._ids.get(parent, {})}
        try:
            return [(*row[:place], ids[row[place]], *row[place + 1 :]) for row in rows]
        except KeyError as error:
            raise StoreError(f"the {parent} that a row of {table.name} belongs to is not there", code="data") from error

    def _write_things(self, table: Table, rows: Sequence[Row], *, current: bool) -> int:
        """Hosts, or things of hosts: only those that are not there just so. What is there goes by its id, or MySQL
        would use up a new one for each repetition."""
        if not table.find_by:
            sent = self._sent.setdefault(table.name, {})
            rows = [row for row in rows if sent.get(row[0]) != row]
            sent.update({row[0]: row for row in rows})
        wanted = {row[0]: row[1:] for row in self._mapped(table, rows)}
        places = table.places
        keys = {number: tuple([row[place] for place in places]) for number, row in wanted.items()}
        known = self._load(table, keys.values())
        new = [wanted[number] for number, key in keys.items() if key not in known]
        changed = [
            (known[key][0], *wanted[number])
            for number, key in keys.items()
            if key in known and known[key][1] != wanted[number]
        ]
        self.archive.put(table.name, ("id", *table.columns), changed, current=current)
        self.archive.put(table.name, table.columns, new, current=current)
        known.update({self._key(table, row): (number, row) for number, *rest in changed for row in [tuple(rest)]})
        if new:
            known = self._load(table, [self._key(table, row) for row in new], again=True)
        if table.name in _OWNERS:
            self._ids.setdefault(table.name, {}).update({number: known[key][0] for number, key in keys.items()})
        return len(new) + len(changed)

    def _key(self, table: Table, row: Row) -> Row:
        """The natural key of a row without its id."""
        return tuple([row[place] for place in table.places])

    def _load(self, table: Table, keys: Iterable[Row], *, again: bool = False) -> dict[Row, tuple[int, Row]]:
        """What is there of those keys; of things, all of their hosts, unless there may be very many."""
        if table.find_by:
            return self._look_up(table, keys, again=again)
        known = self._known.setdefault(table.name, {})
        loaded = self._loaded.setdefault(table.name, set())
        column = table.key[0]
        wanted = sorted({key[0] for key in keys} - (set() if again else loaded))
        for start in range(0, len(wanted), IDS_AT_ONCE):
            some = Condition(column, "in", tuple(wanted[start : start + IDS_AT_ONCE]))
            for number, *row in self.archive.find(Question(table.name, ("id", *table.columns), (some,))):
                known[self._key(table, tuple(row))] = number, tuple(row)
        loaded.update(wanted)
        return known

    def _look_up(self, table: Table, keys: Iterable[Row], *, again: bool) -> dict[Row, tuple[int, Row]]:
        known = self._known.setdefault(table.name, {})
        if len(known) > _KNOWN_AT_MOST and not again:
            known.clear()
        place = table.key.index(table.find_by)
        wanted: dict[Any, set[Any]] = {}
        for key in keys:
            if again or key not in known:
                wanted.setdefault(key[0], set()).add(key[place])
        for host, found in sorted(wanted.items()):
            values = sorted(found)
            for start in range(0, len(values), IDS_AT_ONCE):
                some = Condition(table.find_by, "in", tuple(values[start : start + IDS_AT_ONCE]))
                question = Question(table.name, ("id", *table.columns), (Condition("host_id", "=", host), some))
                for number, *row in self.archive.find(question):
                    known[self._key(table, tuple(row))] = number, tuple(row)
        return known

    def _superseding(self, rows: Sequence[Row], *, current: bool) -> list[Row]:
        """The alerts in the order in which they may be written: closed ones first, which frees their identity.

        An open one that is there under the identity of another was left by a journal that is lost: the older of the
        two ends.
        """
        closed = [row for row in rows if row[_OPEN_KEY] is None]
        opened = {row[_OPEN_KEY]: row for row in rows if row[_OPEN_KEY] is not None}
        if opened:
            # Now, because one of them may stand under the identity of another.
            self.archive.put("alert", ALERT.columns, self._mapped(ALERT, closed), current=current)
            closed = []
        for there in self._open_alerts() if opened else ():
            came = opened.get(there[_OPEN_KEY])
            if came is None or came[_ID] == there[_ID]:
                continue
            if current or there[_OPENED] <= came[_OPENED]:
                at_ms = max(there[_UPDATED], came[_OPENED])
                self.archive.put("alert", ALERT.columns, [_ended(there, at_ms, updated_ms=at_ms)], current=True)
            else:
                opened[came[_OPEN_KEY]] = _ended(came, there[_OPENED], updated_ms=came[_UPDATED])
        return [*closed, *opened.values()]

    def _open_alerts(self) -> list[Row]:
        return self.archive.find(Question("alert", ALERT.columns, (Condition("closed_ms", "is", None),)))


def _keys(rows: Rows) -> list[tuple[str, int, int]]:
    """(id, host, instant) of the polls."""
    places = [columns(POLL.name).index(name) for name in ("id", "host_id", "at_ms")]
    return [(row[places[0]], row[places[1]], row[places[2]]) for row in rows.of(POLL.name)]


# Places in a row of `alert`; a test compares them with the schema.
_ID, _OPEN_KEY, _OPENED, _UPDATED = 0, 1, 9, 10


def _ended(row: Row, at_ms: int, *, updated_ms: int) -> Row:
    names = columns("alert")
    ending = {"open_key": None, "closed_ms": at_ms, "updated_ms": updated_ms, "reason": "superseded by a new episode"}
    return tuple((dict(zip(names, row, strict=True)) | ending).values())

"""Two databases of history compared, row by row, by what tells rows apart anywhere; ids of their own do not count.

Each makes its own roll-ups, when it comes to it and as far as its polls go: only those of the same samples must agree.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from poller.model.contracts import Archive, Condition
from poller.store.archive.pages import Row, pages, rows_of, whole
from poller.store.archive.rows import IDS_AT_ONCE
from poller.store.archive.tables import HISTORY_BOUND, INVENTORIES, PEER_DAY, ROLLUPS, SAMPLES, TABLES, Table, columns

Keyed = tuple[Row, Row]  # what tells a row apart, and the row without ids that are a database's own


@dataclass(frozen=True, slots=True)
class Difference:
    """`key` names the row for people; `what` says how the two differ."""

    table: str
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Rows by table in either; all differences counted, the first ones named."""

    rows: Mapping[str, tuple[int, int]]
    differing: Mapping[str, int]
    first: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """How many roll-ups each has made, and where it shows them, is its own affair."""
        counts = [pair for name, pair in self.rows.items() if name not in ROLLUPS and name != HISTORY_BOUND.name]
        return not any(self.differing.values()) and all(one == other for one, other in counts)


def verify(one: Archive, other: Archive, name_at_most: int = 10) -> Verified:
    """Reads both once, page by page. Two databases that are being written meanwhile may differ for that. StoreError."""
    comparison = _Comparison(one, other, name_at_most)
    comparison.all()
    rows = {name: (one.count(name), other.count(name)) for name in TABLES if name != "housekeeping"}
    return Verified(rows, comparison.differing, tuple(comparison.first))


class _Comparison:
    def __init__(self, one: Archive, other: Archive, name_at_most: int) -> None:
        self._both = one, other
        self._at_most = name_at_most
        self.differing: Counter[str] = Counter()
        self.first: list[Difference] = []

    def all(self) -> None:
        hosts = [{row[1]: row for row in archive.find(whole("host"))} for archive in self._both]
        self._compare("host", "", *({(name,): row[1:] for name, row in found.items()} for found in hosts))
        for name in sorted(hosts[0].keys() & hosts[1].keys()):
            self._host(name, hosts[0][name][0], hosts[1][name][0])
        names = [{row[0]: name for name, row in found.items()} for found in hosts]
        for table, order in _BY_TIME.items():
            streams = [
                self._keyed(archive, table, order, known) for archive, known in zip(self._both, names, strict=True)
            ]
            self._merge(table, "", *streams)
        self._compare(
            "metric", "", *({row[:1]: row for row in archive.find(whole("metric"))} for archive in self._both)
        )

    def _host(self, name: str, *ids: int) -> None:
        """Everything of one host that both know."""
        for table in INVENTORIES:
            self._things(table, name, ids)
        for samples in _SAMPLES_OF["host"]:
            self._series(samples.name, name, ids)
        self._polls(name, ids)
        for table in ("limit_state", "host_latest"):
            cut = len(TABLES[table].key)
            found = (archive.find(whole(table, Condition("host_id", "=", number)))
                     for archive, number in zip(self._both, ids, strict=True))  # fmt: skip
            self._compare(table, name, *({row[1:cut]: row[1:] for row in rows} for rows in found))

    def _things(self, table: str, host: str, ids: Iterable[int]) -> None:
        places = [columns(table).index(name) for name in TABLES[table].key[1:]]
        one, other = (
            {tuple(row[place] for place in places): row for row in archive.find(whole(table, _of(number)))}
            for archive, number in zip(self._both, ids, strict=True)
        )
        self._compare(table, host, *({key: row[2:] for key, row in found.items()} for found in (one, other)))
        for samples in _SAMPLES_OF.get(table, ()):
            for key in one.keys() & other.keys():
                self._series(samples.name, f"{host} {key[0]}", (one[key][0], other[key][0]))

    def _series(self, table: str, name: str, ids: Iterable[int]) -> None:
        """The samples of one thing, in order of time."""
        column, *order = TABLES[table].key
        cut = 1 + len(order)
        streams = (
            (
                (row[1:cut], row[1:])
                for row in rows_of(archive, table, Condition(column, "=", number), order=tuple(order))
            )
            for archive, number in zip(self._both, ids, strict=True)
        )
        self._merge(table, name, *streams)

    def _polls(self, host: str, ids: Iterable[int]) -> None:
        numbers = tuple(ids)
        self._merge(
            "poll", host, *(_polls(archive, number) for archive, number in zip(self._both, numbers, strict=True))
        )
        for page in pages(self._both[0], whole("poll", _of(numbers[0]), order=("at_ms", "id")), IDS_AT_ONCE):
            some = Condition("poll_id", "in", tuple(row[0] for row in page))
            found = ({row[:2]: row for row in archive.find(whole("section", some))} for archive in self._both)
            self._compare("section", host, *found)

    def _keyed(self, archive: Archive, table: str, order: tuple[str, ...], names: Mapping[int, str]) -> Iterator[Keyed]:
        """Rows of the fleet, with the name of the host where there is one."""
        places = [columns(table).index(name) for name in order]
        host = columns(table).index("host_id") if "host_id" in columns(table) else None
        for row in rows_of(archive, table, order=order):
            named = row if host is None else (*row[:host], names.get(row[host]), *row[host + 1 :])
            yield tuple(row[place] for place in places), named

    def _compare(self, table: str, of: str, one: Mapping[Row, Row], other: Mapping[Row, Row]) -> None:
        """Few rows, at once. Sorted for people only: keys are of one kind in every column."""
        for key in sorted(one.keys() | other.keys()):
            self._judge(table, of, key, one.get(key), other.get(key))

    def _merge(self, table: str, of: str, one: Iterator[Keyed], other: Iterator[Keyed]) -> None:
        """Many rows, both in order of their key."""
        left, right = next(one, None), next(other, None)
        while left or right:
            if right is None or (left is not None and left[0] < right[0]):
                assert left is not None  # noqa: S101 - one of them is there
                self._judge(table, of, left[0], left[1], None)
                left = next(one, None)
            elif left is None or right[0] < left[0]:
                self._judge(table, of, right[0], None, right[1])
                right = next(other, None)
            else:
                self._judge(table, of, left[0], left[1], right[1])
                left, right = next(one, None), next(other, None)

    def _judge(self, table: str, of: str, key: Row, one: Row | None, other: Row | None) -> None:
        if one == other or (table in ROLLUPS and _agree(table, one, other)):
            return
        self.differing[table] += 1
        if len(self.first) < self._at_most:
            name = " ".join(str(part) for part in ((of, *key) if of else key))
            self.first.append(Difference(table, name, _words(table, one, other)))


def _of(host: int) -> Condition:
    return Condition("host_id", "=", host)


def _polls(archive: Archive, host: int) -> Iterator[Keyed]:
    for row in rows_of(archive, "poll", _of(host), order=("at_ms", "id")):
        yield (row[_AT], row[0]), (row[0], *row[2:])


def _agree(table: str, one: Row | None, other: Row | None) -> bool:
    """Roll-ups of one window, unless both are made, of the same samples, and say something else."""
    place = columns(table).index("samples") - len(columns(table))
    if one is None or other is None or one[place] != other[place]:
        return True
    return all(_same(table, a, b) for a, b in zip(one, other, strict=True))


def _same(table: str, one: Any, other: Any) -> bool:
    """SQLite (from 3.43 on) adds up with less error than MariaDB, which the last digits of a mean in a roll-up show."""
    if one == other or table not in ROLLUPS or one is None or other is None:
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _words(table: str, one: Row | None, other: Row | None) -> str:
    if one is None or other is None:
        return "missing in the first" if one is None else "missing in the second"
    # Only ids were taken from the front of a row: counted from its end, each value stands in the order of the schema.
    place = next(place for place, (a, b) in enumerate(zip(one, other, strict=True)) if not _same(table, a, b))
    place -= len(one)
    return f"{columns(table)[place]} is {_shown(one[place])} in the first, {_shown(other[place])} in the second"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " ..."


def _by_owner() -> dict[str, tuple[Table, ...]]:
    """Inventory -> the tables whose rows belong to it, one after the other in time."""
    found: dict[str, tuple[Table, ...]] = {}
    for table in (*SAMPLES.values(), PEER_DAY, *ROLLUPS.values()):
        _, owner = table.parent or ("", "")
        found[owner] = (*found.get(owner, ()), table)
    return found


_SAMPLES_OF: Final = _by_owner()
_SHOWN: Final = 60
_AT: Final = 3  # of `poll`
_BY_TIME: Final = {
    "round": ("started_ms", "id"), "event": ("at_ms", "id"), "alert": ("id",),
    "acknowledgement": ("id",), "evidence": ("alert_id", "part"), "silence": ("id",), "message": ("id",),
    "notification": ("id",),
}  # fmt: skip

"""The SQL that rolls samples up: raw rows into windows of five minutes, these into windows of one hour.

A number holds from its instant to that of the next row of the same thing, at most to the end of its five minutes; so
long it counts in their average (its weight), NULLs left out. Windows begin at multiples of their length.
With the rows at_ms = t1 < ... < tn in the window [s, s + 300 s), and t(n+1) = s + 300 s:

    samples = n        seconds = (s + 300 s - t1)        avg = sum x(i) * (t(i+1) - t(i)) / sum (t(i+1) - t(i))

over those i whose x(i) is not NULL. An hour is made from its twelve: samples and seconds add up, and each average of
five minutes has the weight of its seconds. An average is never outside of least and greatest, which rounding could do.
To make a window again gives the same row. Names are of our schema and values are whole numbers, so nothing is quoted;
SQLite and MySQL differ in the names of two functions.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from poller.metrics import SAMPLE_TABLES, column_names

FIVE_MS: Final = 300_000
HOUR_MS: Final = 3_600_000
Dialect = Literal["sqlite", "mysql"]
_LIMITS: Final[dict[Dialect, tuple[str, str]]] = {"sqlite": ("MAX", "MIN"), "mysql": ("GREATEST", "LEAST")}


@dataclass(frozen=True, slots=True)
class Rolled:
    """A sample table that is rolled up; `name` is what its tables and view begin with."""

    name: str
    inventory: str

    @property
    def raw(self) -> str:
        return f"{self.name}_sample"

    @property
    def fives(self) -> str:
        return f"{self.name}_5m"

    @property
    def hours(self) -> str:
        return f"{self.name}_1h"

    @property
    def owner(self) -> str:
        """The column that points to the inventory."""
        return f"{self.inventory}_id"


# Cores are kept for two days, peers and processes are lists rather than numbers: nobody charts them over months.
ROLLED: Final = tuple(
    Rolled(table.removesuffix("_sample"), inventory)
    for table, (_, inventory, _) in SAMPLE_TABLES.items()
    if table != "core_sample"
)


def floor(at_ms: int, window_ms: int) -> int:
    """The begin of the window that an instant is in."""
    return at_ms - at_ms % window_ms


def five_minutes(table: Rolled, dialect: Dialect, owners: Iterable[int], from_ms: int, until_ms: int) -> str:
    """Makes these things' windows from `from_ms` to before `until_ms`; both are begins of windows."""
    head, body = _fives(table, dialect)
    where = f"WHERE {table.owner} IN ({_numbers(owners)}) AND at_ms >= {from_ms:d} AND at_ms < {until_ms:d}"
    return f"{head} {where} {body}"


def one_hour(table: Rolled, dialect: Dialect, owners: Iterable[int], from_ms: int, until_ms: int) -> str:
    """The same for hours, from the windows of five minutes."""
    head, body = _hours(table, dialect)
    where = f"WHERE {table.owner} IN ({_numbers(owners)}) AND at_ms >= {from_ms:d} AND at_ms < {until_ms:d}"
    return f"{head} {where} {body}"


def _numbers(owners: Iterable[int]) -> str:
    return ", ".join(f"{number:d}" for number in owners)


def _columns(table: Rolled) -> str:
    triples = (f"{name}_min, {name}_avg, {name}_max" for name in column_names(table.raw))
    return f"{table.owner}, at_ms, samples, seconds, {', '.join(triples)}"


def _triple(least: str, average: str, greatest: str, weight: str, dialect: Dialect) -> str:
    """Least, average, greatest of a column, in the order of the schema."""
    up, down = _LIMITS[dialect]
    mean = f"SUM({average} * {weight}) / SUM(CASE WHEN {average} IS NOT NULL THEN {weight} END)"
    return f"MIN({least}), {up}(MIN({least}), {down}(MAX({greatest}), {mean})), MAX({greatest})"


@functools.cache
def _fives(table: Rolled, dialect: Dialect) -> tuple[str, str]:
    """What stands before and behind the WHERE. In order of the key, so that nothing has to be sorted."""
    names = column_names(table.raw)
    end = f"at_ms - at_ms % {FIVE_MS} + {FIVE_MS}"
    following = f"LEAD(at_ms) OVER (PARTITION BY {table.owner} ORDER BY at_ms)"
    triples = ", ".join(_triple(name, name, name, "weight", dialect) for name in names)
    head = (
        f"REPLACE INTO {table.fives} ({_columns(table)})"  # noqa: S608 - names of ours
        f" SELECT {table.owner}, end_ms - {FIVE_MS}, COUNT(*), SUM(weight), {triples} FROM ("
        f"SELECT {table.owner}, end_ms, (CASE WHEN next_ms < end_ms THEN next_ms ELSE end_ms END - at_ms) / 1e3"
        f" AS weight, {', '.join(names)} FROM ("
        f"SELECT {table.owner}, at_ms, {end} AS end_ms, {following} AS next_ms, {', '.join(names)} FROM {table.raw}"
    )
    return head, f") AS followed) AS weighted GROUP BY {table.owner}, end_ms"


@functools.cache
def _hours(table: Rolled, dialect: Dialect) -> tuple[str, str]:
    triples = ", ".join(
        _triple(f"{name}_min", f"{name}_avg", f"{name}_max", "seconds", dialect) for name in column_names(table.raw)
    )
    window = f"at_ms - at_ms % {HOUR_MS}"
    head = (
        f"REPLACE INTO {table.hours} ({_columns(table)})"  # noqa: S608 - names of ours
        f" SELECT {table.owner}, {window}, SUM(samples), SUM(seconds), {triples} FROM {table.fives}"
    )
    return head, f"GROUP BY {table.owner}, {window}"

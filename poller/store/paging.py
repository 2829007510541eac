"""Long answers in pages: each is one short look of its own, so that a reader never holds the journal's log open.

What is asked stands in a `Book`: a SELECT whose first columns are its key, and what a row must fulfil. The same text
serves SQLite and MariaDB; parameters are written `:name`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from poller.model import POLLER, ArchiveSettings, Severity
from poller.store.query import answer, quoted

Source = Path | ArchiveSettings
Row = tuple[Any, ...]

PAGE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Book:
    """`select` ends before its WHERE; its first columns are `key`, the first of them the instant it is ordered by."""

    select: str
    key: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def where(self, *conditions: str, **values: Any) -> Book:
        """The same with more to fulfil."""
        return Book(self.select, self.key, self.conditions + conditions, {**self.values, **values})

    def text(self, *more: str, order: Sequence[str] = (), descending: bool = False, limit: int | None = None) -> str:
        conditions = (*self.conditions, *more)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        down = " DESC" if descending else ""
        ordered = ", ".join(f"{column}{down}" for column in order or self.key)
        return f"{self.select}{where} ORDER BY {ordered}" + (f" LIMIT {limit}" if limit is not None else "")


def pages(
    source: Source, book: Book, since_ms: int, until_ms: int, *, newest_first: bool = False, size: int = PAGE
) -> Iterator[list[Row]]:
    """Rows between two instants, page by page; no row twice, none left out while others are added at the end."""
    instant = book.key[0]
    bounds = {"since_ms": since_ms, "until_ms": until_ms}
    here = [f"{instant} BETWEEN :since_ms AND :until_ms"]
    after: list[str] = []
    while True:
        text = book.text(*here, *after, descending=newest_first, limit=size)
        rows = list(answer(source, text, {**book.values, **bounds}).rows)
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = rows[-1][: len(book.key)]
        bounds |= {f"last_{place}": value for place, value in enumerate(last)}
        bounds["until_ms" if newest_first else "since_ms"] = last[0]
        marks = ", ".join(f":last_{place}" for place in range(len(last)))
        after = [f"({', '.join(book.key)}) {'<' if newest_first else '>'} ({marks})"]


def globs(column: str, patterns: Sequence[str], prefix: str) -> tuple[str, dict[str, str]]:
    """A condition "fits any of these globs" (* and ?) and its values."""
    values = {f"{prefix}_{place}": _like(pattern) for place, pattern in enumerate(patterns)}
    return "(" + " OR ".join(f"{column} LIKE :{name} ESCAPE '!'" for name in values) + ")", values


def _like(glob: str) -> str:
    return quoted(glob).replace("*", "%").replace("?", "_")


def at_least(column: str, severity: Severity) -> str:
    """A condition "as bad as that, or worse"."""
    words = ", ".join(f"'{one}'" for one in Severity if one >= severity)
    return f"{column} IN ({words})"


def of_hosts(column: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A condition "belongs to one of these hosts" and its values; what belongs to none is the poller's own."""
    values = {f"host_{place}": name for place, name in enumerate(names)}
    marks = ", ".join(f":{name}" for name in values)
    inside = f"{column} IN (SELECT id FROM host WHERE name IN ({marks}))"  # noqa: S608 - marks, no values
    return (f"({inside} OR {column} IS NULL)" if POLLER in names else inside), values


def host_names(source: Source) -> tuple[str, ...]:
    """Every host that was ever polled, by name; the poller itself is no host."""
    rows = answer(source, "SELECT name FROM host WHERE name <> :own ORDER BY name", {"own": POLLER}).rows
    return tuple(row[0] for row in rows)

"""Long answers read page by page, so that memory stays bounded whatever the table holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from poller.model.contracts import Archive, Condition, Question
from poller.store.archive.tables import columns

Row = tuple[Any, ...]
ROWS_AT_ONCE: Final = 2000


def pages(archive: Archive, question: Question, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[list[Row]]:
    """The rows of a question, which has an order that no two rows share and asks for its columns."""
    places = [question.columns.index(name) for name in question.order]
    after: Row | None = None
    while True:
        rows = archive.find(replace(question, after=after, limit=rows_at_once))
        if rows:
            yield rows
        if len(rows) < rows_at_once:
            return
        after = tuple(rows[-1][place] for place in places)


def whole(table: str, *conditions: Condition, order: tuple[str, ...] = ()) -> Question:
    """Rows with all their columns."""
    return Question(table, columns(table), conditions, order)


def rows_of(archive: Archive, table: str, *conditions: Condition, order: tuple[str, ...]) -> Iterator[Row]:
    """One by one, in order."""
    for page in pages(archive, whole(table, *conditions, order=order)):
        yield from page

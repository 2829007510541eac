"""A table without lines that stays whole: in a pipe as wide as it is, on a narrow terminal in another shape."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

_GAP: Final = 2
_INDENT: Final = 4
# The last column, the one for sentences, may be folded into so many cells; with fewer it goes below its row.
_READABLE: Final = 30
# A table of more columns whose last one is short is no list with remarks: it is shown record by record.
_FEW: Final = 3


class PlainTable:
    """Columns that begin with ">" align right. Only the last column may hold line ends.

    Never cuts anything: what does not fit beside the other columns goes below them, and where even those are too
    wide each row becomes a paragraph of `COLUMN  value` lines.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._right = [column.startswith(">") for column in columns]
        self._names = [column.removeprefix(">") for column in columns]
        self._rows: list[list[Text]] = []

    def add_row(self, *cells: str | Text) -> None:
        self._rows.append([Text(cell) if isinstance(cell, str) else cell for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        head = [Text(name, style="bold" if sys.stdout.isatty() else "") for name in self._names]
        widths = [max(map(_width, column)) for column in zip(head, *self._rows, strict=True)]
        room = options.max_width - sum(widths[:-1]) - _GAP * (len(widths) - 1)
        if room >= min(widths[-1], _READABLE):
            for row in (head, *self._rows):
                yield from self._beside(console, row, widths, room)
        elif room >= -_GAP and (widths[-1] > _READABLE or len(widths) <= _FEW):
            for row in (head, *self._rows):
                yield from self._below(console, row, widths, options.max_width)
        else:
            yield from self._paragraphs(console, head, options.max_width)

    def _beside(self, console: Console, row: Sequence[Text], widths: Sequence[int], room: int) -> Iterator[Text]:
        before = self._line(row[:-1], widths)
        last = _folded(console, row[-1], room)
        if self._right[-1]:
            last = [_padded(line, widths[-1], right=True) for line in last]
        margin = Text(" " * cell_len(before.plain))
        for number, line in enumerate(last):
            yield _stripped((margin if number else before) + line)

    def _below(self, console: Console, row: Sequence[Text], widths: Sequence[int], width: int) -> Iterator[Text]:
        yield _stripped(self._line(row[:-1], widths))
        for line in _folded(console, row[-1], width - _INDENT):
            if line.plain:
                yield Text(" " * _INDENT) + line

    def _paragraphs(self, console: Console, head: Sequence[Text], width: int) -> Iterator[Text]:
        margin = max(map(_width, head)) + _GAP
        for number, row in enumerate(self._rows):
            if number:
                yield Text("")
            for name, cell in zip(head, row, strict=True):
                for place, line in enumerate(_folded(console, cell, max(width - margin, 1))):
                    yield _stripped((Text(" " * margin) if place else _padded(name, margin)) + line)

    def _line(self, cells: Iterable[Text], widths: Sequence[int]) -> Text:
        line = Text()
        for cell, width, right in zip(cells, widths, self._right, strict=False):
            line += _padded(cell, width, right=right) + Text(" " * _GAP)
        return line


def _width(text: Text) -> int:
    return max(map(cell_len, text.plain.split("\n")))


def _padded(text: Text, width: int, *, right: bool = False) -> Text:
    margin = Text(" " * (width - cell_len(text.plain)))
    return margin + text if right else text + margin


def _folded(console: Console, text: Text, width: int) -> list[Text]:
    return [_stripped(line) for line in text.wrap(console, width, overflow="fold", tab_size=8)] or [Text("")]


def _stripped(line: Text) -> Text:
    line = line.copy()
    line.rstrip()
    return line

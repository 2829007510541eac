"""A piece of text as it stands in the file, which remembers where: the text of a `<rule>` is a small program.

What XML makes of it (no comments, `<` for `&lt;`) is what gets parsed; a mistake in there is shown at its own line and
column of the file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PIECE: Final = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(?P<plain>.*?)\]\]>|(?P<tag><[^>]*>)|(?P<code>&[^;&<]{1,12};)|(?P<sign>.)",
    re.DOTALL,
)
_WIDEST: Final = 110


@dataclass(frozen=True, slots=True)
class Source:
    """`raw` is written from `line` and `column` on, both from 1. In an attribute a line's end counts as a blank."""

    raw: str
    line: int
    column: int
    attribute: bool = False

    @property
    def text(self) -> str:
        """As XML gives it; an element inside counts as a blank."""
        return "".join(sign for sign, _ in self._signs())

    def place(self, position: int) -> tuple[int, int]:
        """Line and column in the file of a position in `text`."""
        places = [at for _, at in self._signs()] or [0]
        at = places[position] if position < len(places) else min(places[-1] + 1, len(self.raw))
        line = self.raw.count("\n", 0, at)
        return self.line + line, at - self.raw.rfind("\n", 0, at) if line else self.column + at

    def _signs(self) -> Iterator[tuple[str, int]]:
        """Each character, and where in `raw` it begins."""
        for piece in _PIECE.finditer(self.raw):
            if piece["plain"] is not None:
                yield from ((sign, at) for at, sign in enumerate(piece["plain"], piece.start("plain")))
            elif piece["tag"]:
                yield " ", piece.start()
            elif piece["code"]:
                yield from ((sign, piece.start()) for sign in html.unescape(piece[0]))
            elif piece["sign"]:
                yield " " if self.attribute and piece[0].isspace() else piece[0], piece.start()


def pointed(text: str, position: int, length: int) -> str:
    """The line of the text that holds the position, and below it `^~~~` under so many characters."""
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[begin : end if end >= 0 else len(text)]
    indent = len(line) - len(line.lstrip())
    cut = max(indent, position - begin - _WIDEST // 2)
    shown = "".join(sign if sign.isprintable() else " " for sign in line[cut : cut + _WIDEST]).rstrip()
    offset = max(0, position - begin - cut)
    width = max(1, min(length, len(shown) - offset))
    return f"{shown}\n{' ' * offset}^{'~' * (width - 1)}"

"""Collects everything that is wrong, so that a user sees all mistakes at once and each with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from poller.errors import ConfigError, Mistake


class WrongError(ValueError):
    """A text that is not a value of its kind. `predicate` goes on after the text: "is not a port"."""

    def __init__(self, predicate: str, hint: str = "") -> None:
        super().__init__(predicate)
        self.predicate = predicate
        self.hint = hint


class Mistakes:
    """The mistakes of one file. `file` is shown as the user named it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Mistake, None] = {}

    def add(self, line: int, sentence: str, hint: str = "", *, column: int = 0, excerpt: str = "") -> None:
        """`excerpt` is the line it is about, with a second one below that points at the place."""
        self._found[Mistake(self.file, line, sentence, hint, column, excerpt)] = None

    def where(self, line: int) -> str:
        return f"{self.file}:{line}"

    def error(self) -> ConfigError:
        """All of them in the order of the file; mistakes of one line stay in the order in which they were found."""
        return ConfigError(tuple(sorted(self._found, key=lambda mistake: mistake.line)))

    def raise_if_any(self) -> None:
        if self._found:
            raise self.error()


def shortened(text: str, most: int = 60) -> str:
    """Text of the file as it may stand in a sentence: one line, and never pages of it."""
    line = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text[: most + 1])
    return line if len(text) <= most else line[:most] + "…"


def meant(text: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" when something known is close, else nothing."""
    close = difflib.get_close_matches(text, list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""

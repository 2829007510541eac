"""What is wrong with a rule's text, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from poller.errors import PollerError


class RuleError(PollerError):
    """`position` is a character offset in the text of the rule; `length` characters from there are meant, at least 1.

    The sentence may quote the text: escape it for the place where it is shown.
    """

    code = "rule"

    def __init__(self, sentence: str, hint: str = "", position: int = 0, length: int = 1) -> None:
        super().__init__(sentence, hint)
        self.position = position
        self.length = max(1, length)


def at(place: tuple[int, int], sentence: str, hint: str = "") -> RuleError:
    """A mistake at (begin, end) of the text."""
    return RuleError(sentence, hint, place[0], place[1] - place[0])


def meant(word: str, options: Iterable[str]) -> str:
    """As "did you mean cpu.percent?"; "" when nothing is like it."""
    near = difflib.get_close_matches(word[:100], list(options), n=1)
    return f"did you mean {near[0]}?" if near else ""

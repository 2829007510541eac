"""`notify=`: who is told. Names of contacts and `mailto:` addresses; `+name` adds to what was inherited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from poller.config import values
from poller.config.mistakes import WrongError

NOBODY: Final = "none"
MAILTO: Final = "mailto:"


@dataclass(frozen=True, slots=True)
class Notify:
    """`instead` replaces what was inherited (None: keeps it), `also` is added."""

    instead: tuple[str, ...] | None
    also: tuple[str, ...]

    def over(self, inherited: tuple[str, ...]) -> tuple[str, ...]:
        """Who is told in the end, each once."""
        return tuple(dict.fromkeys((*(inherited if self.instead is None else self.instead), *self.also)))

    @property
    def contacts(self) -> tuple[str, ...]:
        """The contacts that must exist."""
        return tuple(each for each in self.over(()) if not each.startswith(MAILTO))


def parse(text: str) -> Notify:
    """`ops net`, `+net`, `ops +mailto:owner@example.org`, or `none`."""
    words = text.split()
    if words == [NOBODY]:
        return Notify((), ())
    instead = tuple(_recipient(word) for word in words if not word.startswith("+"))
    also = tuple(_recipient(word[1:]) for word in words if word.startswith("+"))
    return Notify(instead or None, also)


def _recipient(word: str) -> str:
    if word == NOBODY:
        raise WrongError('has "none" among others; "none" stands alone and means nobody')
    if word.startswith(MAILTO):
        return MAILTO + values.mail_address(word.removeprefix(MAILTO))
    return values.name(word)

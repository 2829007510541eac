"""What the vocabulary says of an element: attributes and their kinds, what may stand inside, what goes together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from poller.config import values
from poller.config.place import Place

Kind = Callable[[str, Place], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """One element. `once`: at most one in the file. `exclusive`: pairs of attributes that cannot stand together.

    At least one of `some` must stand. The text of a `private` attribute may hold a secret: no message repeats it.
    With `text` something may stand between its tags.
    """

    attributes: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    once: bool = False
    exclusive: tuple[tuple[str, str], ...] = ()
    private: tuple[str, ...] = ()
    text: bool = False


def plain(parse: Callable[[str], object]) -> Kind:
    """A kind that needs to know nothing but the text."""
    return lambda text, _: parse(text)


# Kinds that many elements have.
TEXT: Final = plain(values.text)
WORD: Final = plain(values.word)
NAME: Final = plain(values.name)
NAMES: Final = plain(values.names)
YES_NO: Final = plain(values.yes_no)
TIMEOUT: Final = plain(values.between("1s", "5m"))
QUOTA: Final = plain(values.count(1, 100_000, "number of messages a day"))

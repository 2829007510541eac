"""The text of a rule as it stands there, before anybody asks what it means: what `poller.rules.grammar` reads."""

from __future__ import annotations

from dataclasses import dataclass

from poller.rules.expression import Place


@dataclass(frozen=True, slots=True)
class Word:
    """A name, a number with its unit, a string without its quotes, an operator, a bracket."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Braces:
    """`{label="text"}`, as (label, sign, text) each."""

    filters: tuple[tuple[Word, Word, Word], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Operand:
    """A number or a name, with braces if it has some, and `by` names behind it."""

    word: Word
    braces: Braces | None
    by: tuple[Word, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """`name(argument, ...) by names`."""

    name: Word
    arguments: tuple[Run, ...]
    by: tuple[Word, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Run:
    """Operands and operators in the order in which they stand. One that is an operand itself stood in parentheses."""

    items: tuple[Word | Operand | Call | Run, ...]
    place: Place

"""Ids of alerts and silences as people see and type them: the end of a UUIDv7, whose beginning is only the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import click

from poller.errors import PollerError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

SHOWN: Final = 8
_LEAST: Final = 4


def short(number: str) -> str:
    return number[-SHOWN:]


def found(ending: str, known: Sequence[str], noun: str, where: str) -> str:
    """The one of `known` that ends so. UsageError when none or several do; `where` names a command that lists them."""
    word = ending.strip().lower()
    if len(word) < _LEAST:
        raise UsageError(f"{ending!r} is too short for the id of {noun}", f"give at least its last {_LEAST} characters")
    matches = sorted({number for number in known if number.endswith(word)})
    if not matches:
        raise UsageError(f"no {noun.split()[-1]} has an id that ends in {ending!r}", f"{where} lists them")
    if len(matches) > 1:
        longer = ", ".join(number[-_different(matches) :] for number in matches[:4])
        raise UsageError(f"{len(matches)} ids end in {ending!r}", f"give more of it: {longer}")
    return matches[0]


def _different(numbers: Sequence[str]) -> int:
    """So many characters of their ends that no two are the same."""
    return next(size for size in range(SHOWN, 99) if len({number[-size:] for number in numbers}) == len(numbers))


def completer(of: Callable[[Path, int], Iterable[tuple[str, str]]]) -> Callable[..., list[object]]:
    """For the shell: the ends of the ids that `of` (journal, now) gives, each with what it is. Never complains."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[object]:
        from click.shell_completion import CompletionItem

        from poller.cli.foreign import one_line
        from poller.cli.selecting import configuration
        from poller.clock import now_ms

        config = configuration(ctx)
        if config is None:
            return []
        try:
            offered = list(of(config.journal, now_ms()))
        except (PollerError, OSError):
            return []
        return [
            CompletionItem(short(number), help=one_line(words))
            for number, words in offered
            if short(number).startswith(incomplete)
        ]

    return complete

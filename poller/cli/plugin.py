"""How a monitoring plugin answers: one line on stdout, and one of four exit codes.

Monitoring Plugins Development Guidelines, "Plugin Output for Nagios" and "Plugin Return Codes". Whatever keeps the
plugin from finding out is UNKNOWN, mistakes in its use and the page of `--help` as well.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import click

from poller.cli import perfdata, streams
from poller.cli.foreign import one_line
from poller.cli.perfdata import PerfDatum
from poller.errors import ConfigError, PollerError

# What callers read of a line at most (Nagios: MAX_PLUGIN_OUTPUT_LENGTH is 8192) leaves this much for the words.
_LONGEST: Final = 2000


class State(IntEnum):
    """The exit codes."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def rank(self) -> int:
        """What is known to be bad is worse than what is not known."""
        return (State.OK, State.UNKNOWN, State.WARNING, State.CRITICAL).index(self)


def worst(states: Iterable[State]) -> State:
    """The worst of them, OK without any."""
    return max(states, key=lambda state: state.rank, default=State.OK)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found. `words` may hold foreign text."""

    state: State
    words: str
    data: tuple[PerfDatum, ...] = ()

    def __str__(self) -> str:
        words = one_line(self.words).replace("|", "\\x7c")
        if len(words) > _LONGEST:
            words = f"{words[:_LONGEST]}..."
        line = f"POLLER {self.state.name} - {words}"
        return f"{line} | {perfdata.shown(self.data)}" if self.data else line


def unknown(error: BaseException) -> int:
    """The end of a check that could not be made: one line that says why, and 3."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else State.UNKNOWN
    logging.getLogger("poller").debug("why the check could not be made", exc_info=error)
    with suppress(OSError, ValueError):
        click.echo(str(Answer(State.UNKNOWN, _why(error))))
        streams.flush()
        return State.UNKNOWN
    import sys

    streams.discard(sys.stdout)
    return State.UNKNOWN


def _why(error: BaseException) -> str:
    if isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        return "interrupted"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, ConfigError):
        more = f" (and {len(error.mistakes) - 1} more: `poller check-config`)" if len(error.mistakes) > 1 else ""
        return f"{error.mistakes[0]}{more}"
    if isinstance(error, PollerError):
        return f"{error.sentence}; {error.hint}" if error.hint else error.sentence
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return f"a fault of the poller itself: {type(error).__name__}: {error}"

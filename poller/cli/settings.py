"""What every command shares: the global options, the configuration, the terminal, and how errors look."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poller.cli.log import listen
from poller.errors import ConfigError, Mistake, PollerError

if TYPE_CHECKING:
    from rich.console import Console

    from poller.model import Config

_ESCAPED = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
# Zero-width and bidirectional controls can make a terminal show something else than what is stored.
_ESCAPED |= {
    code: f"\\u{code:04x}" for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def inert(text: str) -> str:
    """Foreign text made harmless for a terminal: controls, ANSI and bidirectional marks are shown as escapes."""
    return text.translate(_ESCAPED)


def counted(number: int, noun: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass
class Settings:
    """The global options. `config` reads the configuration once, when it is first asked for."""

    config_path: Path | None = None
    verbose: int = 0

    def say_more(self, count: int) -> None:
        """-v and -vv, given before or after the command's name."""
        self.verbose += count
        listen(self.verbose, inert)

    @cached_property
    def config(self) -> Config:
        import logging

        from poller.config import load

        config = load(self.config_path)
        logging.getLogger(__name__).info("%s: %s", config.path, counted(len(config.hosts), "host"))
        return config

    @cached_property
    def out(self) -> Console:
        """Where results go: on a terminal with colour (not with NO_COLOR), in a pipe neither folded nor padded."""
        from poller.cli.console import out

        return out()

    @cached_property
    def err(self) -> Console:
        """Where progress, warnings and errors go."""
        from poller.cli.console import err

        return err()


def print_json(value: Any) -> None:
    """One JSON document on stdout; control characters are escaped by JSON itself."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


def mistake_document(mistake: Mistake) -> dict[str, Any]:
    """The stable JSON form; `column` is 0 where only the line is known."""
    return {
        "file": mistake.file,
        "line": mistake.line,
        "column": mistake.column,
        "sentence": mistake.sentence,
        "hint": mistake.hint,
    }


def complain(error: PollerError) -> None:
    """One line per mistake, the text it is about with a caret under the place, then the way out."""
    if isinstance(error, ConfigError):
        for mistake in error.mistakes:
            click.echo(inert(str(mistake)), err=True)
            for line in mistake.excerpt.split("\n") if mistake.excerpt else ():
                click.echo(f"    {inert(line)}", err=True)
            if mistake.hint:
                click.echo(f"    {inert(mistake.hint)}", err=True)
        return
    click.echo(f"poller: {inert(error.sentence)}", err=True)
    if error.hint:
        click.echo(f"    {inert(error.hint)}", err=True)

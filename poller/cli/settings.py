"""What every command shares: the global options, the configuration, the terminal, and how errors look."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poller.errors import ConfigError, PollerError

if TYPE_CHECKING:
    from rich.console import Console

    from poller.model import Config

# Into a file or pipe nothing is cut or wrapped.
_WIDE = 10_000
_ESCAPED = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
# Zero-width and bidirectional controls can make a terminal show something else than what is stored.
_ESCAPED |= {
    code: f"\\u{code:04x}" for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def inert(text: str) -> str:
    """Foreign text made harmless for a terminal: controls, ANSI and bidirectional marks are shown as escapes."""
    return text.translate(_ESCAPED)


@dataclass
class Settings:
    """The global options. `load()` reads the configuration once."""

    config_path: Path | None = None
    verbose: int = 0

    def __post_init__(self) -> None:
        if self.verbose:
            logging.basicConfig(
                level=logging.DEBUG if self.verbose > 1 else logging.INFO, format="%(name)s: %(message)s"
            )

    @cached_property
    def config(self) -> Config:
        from poller.config import load

        return load(self.config_path)

    @cached_property
    def out(self) -> Console:
        """Where results go. rich leaves out colour and movement when it is not a terminal or NO_COLOR is set."""
        from rich.console import Console

        return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)

    @cached_property
    def err(self) -> Console:
        """Where progress, warnings and errors go."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout; control characters are escaped by JSON itself."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


def complain(error: PollerError) -> None:
    """One line per mistake, then the way out."""
    if isinstance(error, ConfigError):
        for mistake in error.mistakes:
            click.echo(inert(str(mistake)), err=True)
            if mistake.hint:
                click.echo(f"    {inert(mistake.hint)}", err=True)
        return
    click.echo(f"poller: {inert(error.sentence)}", err=True)
    if error.hint:
        click.echo(f"    {inert(error.hint)}", err=True)

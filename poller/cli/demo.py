"""`poller demo`: everything at work on this machine, told as it goes."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.settings import Settings, inert

if TYPE_CHECKING:
    from rich.console import Console

    from poller.demo.explain import Step

# The cookbook's question that the demo asks.
_QUERY: Final = "alerts-now"


@click.command("demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Leave config.xml, keys and database in DIR (new or empty) to look at.",
)
@click.pass_obj
def command(settings: Settings, keep: Path | None) -> None:
    """See it all work on this machine: real SSH, real probe, real database, real mail.

    Starts an SSH server and a mail server of its own on 127.0.0.1, polls three hosts (all this machine)
    twice, crosses a limit on purpose, and shows what happens at each step. Needs no root and no sshd,
    reads no configuration of yours, sends nothing off this machine, and leaves nothing behind without --keep.

    \b
    Examples:
      poller demo
      poller demo --keep /tmp/demo && poller --config /tmp/demo/config.xml query
    """
    from poller.demo.flow import play

    with _terminable(), _folder(keep) as folder:
        out = settings.out
        _say(out, f"poller demo, in {folder}", "bold")
        played = play(folder, _Narrator(out).show)
        _run_command(out, played.config, "status", [])
        _run_command(out, played.config, "query", [_QUERY])
        _what_next(out, played.config if keep else None)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: servers stopped, folder removed."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="poller-demo-") as name:
        yield Path(name)


class _Narrator:
    """Numbers the steps and shows each as it happens."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._count = 0

    def show(self, step: Step) -> None:
        self._count += 1
        _say(self._out, f"\n{self._count:2}  {step.title}", "bold cyan")
        for line in step.lines:
            _say(self._out, f"    {line}".rstrip())


def _say(out: Console, text: str, style: str = "") -> None:
    out.print(inert(text), style=style or None, markup=False)


def _heading(out: Console, text: str) -> None:
    _say(out, f"\n{text}", "bold cyan")


def _run_command(out: Console, config: Path, name: str, arguments: list[str]) -> None:
    """The same command a user would type, on the demo's configuration."""
    from poller.cli import cli

    _heading(out, " ".join(["$ poller", name, *arguments]))
    group: Any = cli
    asked = group.get_command(click.Context(group), name)
    asked.main(arguments, prog_name=f"poller {name}", obj=Settings(config_path=config), standalone_mode=False)


def _what_next(out: Console, config: Path | None) -> None:
    _heading(out, "What next")
    if config is None:
        _say(out, f"    {_ourselves()} demo --keep DIR     the same, and leaves everything in DIR to look at")
        _say(out, f"    {_ourselves()} init                a config.xml for your own hosts")
        _say(out, f"    {_ourselves()} daemon              then polls each at its own interval, and stays;")
        _say(out, f"    {_ourselves()} watch               shows what happens on them, the moment it happens")
        return
    given = f"{_ourselves()} --config {shlex.quote(str(config))}"
    for arguments, what in (
        ("status", "every host as last seen"),
        ("query", "what else one can ask the database"),
        ("metrics --host web1", "every number, with a ready limit for each"),
        ("payload web1 --source", "every line of code that ran there"),
        ("config show web1", "where each setting comes from"),
    ):
        _say(out, f"    {given} {arguments:22} {what}")
    _say(out, "    The demo's servers have stopped: `run` would find nobody at home.")
    _say(out, f"    {_ourselves()} init     a config.xml for your own hosts")
    _say(out, f"    {_ourselves()} daemon   then polls them and stays; `poller watch` shows what happens there")


def _ourselves() -> str:
    """What to type to start this poller: `poller`, or its path while that is not on PATH (`make demo`)."""
    program = Path(sys.argv[0])
    if program.name != "poller" or shutil.which("poller"):
        return "poller"
    inside = program.absolute().is_relative_to(Path.cwd())
    return shlex.quote(str(program.absolute().relative_to(Path.cwd()) if inside else program.absolute()))

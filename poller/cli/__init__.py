"""The command line: one file per command, imported only when it is asked for.

The only place that prints, reads argv or picks an exit code (docs/how-it-works.md, "Exit codes").
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from poller import __version__
from poller.errors import BusyError, PollerError, StoreError

# name, module, one line for `poller --help`. Kept here so that help needs no command's imports.
COMMANDS: Final = (
    ("init", "init", "Write a commented config.xml to start from."),
    ("check-config", "check_config", "Check config.xml and show every mistake."),
    ("config", "config", "Show the merged values of a host and where each was set."),
    ("import", "import_hosts", "Turn an Ansible inventory or an ssh_config into <host> lines."),
    ("trust", "trust", "Fetch host keys, show their fingerprints, accept them."),
    ("enroll", "enroll", "Install the poller's key on hosts through an existing login."),
    ("doctor", "doctor", "Go through every stage of a poll and say what to fix."),
    ("run", "run", "Poll hosts, store, judge, notify."),
    ("status", "status", "Show every host as last seen, without polling."),
    ("metrics", "metrics", "Show the catalogue of metrics, with values and threshold lines."),
    ("query", "query", "Ask the database one of the cookbook's questions."),
    ("payload", "payload", "Show exactly what would be sent to a host."),
    ("notify", "notify", "Send a test message to a contact."),
    ("db", "db", "Look after the database: status, upgrade, backup, prune."),
    ("demo", "demo", "See it all work on this machine, with servers of its own."),
)


class Commands(click.Group):
    """Loads a command's module when it is called, so that `poller --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for known, module, _ in COMMANDS:
            if known == name:
                command: click.Command = importlib.import_module(f"poller.cli.{module}").command
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            meant = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not meant:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{meant[0]}'?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, _, sentence in COMMANDS])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="config.xml to use. Default: $POLLER_CONFIG, ./config.xml, the user's, /etc/poller/config.xml.",
)
@click.option("-v", "--verbose", count=True, help="Say more; twice: everything, for a bug report.")
@click.version_option(__version__, prog_name="poller")
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None, verbose: int) -> None:
    """Watch a fleet over SSH with nothing installed on the hosts but sshd and python3.

    \b
    Start here:
      poller demo                     see it work on this machine
      poller init && poller trust --all
      poller run                      one round; put it into cron
      poller status                   what the last round saw
    """
    from poller.cli.settings import Settings

    ctx.obj = Settings(config_path=config_path, verbose=verbose)


def exit_code(error: PollerError) -> int:
    """DESIGN: 74 when nothing can be stored, 75 when another poller is at work, 2 for everything a user can mend."""
    if isinstance(error, StoreError):
        return 74
    return 75 if isinstance(error, BusyError) else 2


def main(argv: Sequence[str] | None = None) -> Any:
    """Entry point. Never shows a traceback for a mistake of the user or a fault of the outside world."""
    try:
        code = cli.main(list(argv) if argv is not None else None, prog_name="poller", standalone_mode=False)
    except click.exceptions.Abort:
        code = 128 + signal.SIGINT
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except PollerError as error:
        from poller.cli.settings import complain

        complain(error)
        code = exit_code(error)
    except BrokenPipeError:
        # The reader (head, less) has gone: not a fault. Python must not complain when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)

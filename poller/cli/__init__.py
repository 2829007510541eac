"""The command line: one file per command, imported only when it is asked for.

The only place that prints, reads argv or picks an exit code (docs/how-it-works.md, "Exit codes").
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from poller import __version__

# name, module, one line for `poller --help`. Kept here so that help needs no command's imports.
COMMANDS: Final = (
    ("init", "init", "Write a commented config.xml to start from."),
    ("check-config", "check_config", "Check config.xml and show every mistake."),
    ("config", "config", "Show the merged values of a host and where each was set."),
    ("import", "import_hosts", "Turn an Ansible inventory or an ssh_config into <host> lines."),
    ("trust", "trust", "Fetch host keys, show their fingerprints, accept them."),
    ("enroll", "enroll", "Install the poller's key on hosts through an existing login."),
    ("doctor", "doctor", "Go through every stage of a poll and say what to fix."),
    ("explain", "explain", "Say more about a code: its causes, and what to run."),
    ("run", "run", "Poll hosts, store, judge, notify."),
    ("daemon", "daemon", "Poll every host at its own interval, and stay."),
    ("watch", "watch", "Watch hosts live: sticks, mounts, contacts, who is there."),
    ("status", "status", "Show every host as last seen, without polling."),
    ("show", "show", "Show everything that is known about one host."),
    ("alerts", "alerts", "Show open alerts, or follow what becomes of them."),
    ("ack", "ack", "Acknowledge alerts: somebody takes care."),
    ("silence", "silence", "Tell nobody of what fits, for a time; or list that."),
    ("unsilence", "unsilence", "End silences before their time."),
    ("events", "events", "Show what happened, or follow what happens."),
    ("logs", "logs", "Show the log lines pulled from the hosts."),
    ("history", "history", "Show how a metric of a host went."),
    ("metrics", "metrics", "Show the metrics there are, or a host's values and limits."),
    ("rules", "rules", "Try the rules of a host on its past."),
    ("query", "query", "Ask the database one of the cookbook's questions."),
    ("check", "check", "Answer as a monitoring plugin: one line, exit 0 to 3."),
    ("payload", "payload", "Show exactly what would be sent to a host."),
    ("notify", "notify", "Send a test message to a contact."),
    ("capacity", "capacity", "Show how many hosts this machine can poll, and what breaks first."),
    ("db", "db", "Look after the database: status, upgrade, backup, prune."),
    ("demo", "demo", "See it all work on this machine, with servers of its own."),
)


_WHICH: Final = "config.xml to use. Default: $POLLER_CONFIG, ./config.xml, the user's, /etc/poller/config.xml."
# What reads no config.xml takes no --config.
_WITHOUT_CONFIG: Final = ("demo", "explain", "import")


class Commands(click.Group):
    """Loads a command's module when it is called, so that `poller --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for known, module, sentence in COMMANDS:
            if known == name:
                command: click.Command = importlib.import_module(f"poller.cli.{module}").command
                command.short_help = sentence
                return _with_global_options(command, config=name not in _WITHOUT_CONFIG)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] == "help":  # `poller help run` is `poller run --help`
            args = [*args[1:], "--help"]
        if args == ["--help"]:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            meant = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not meant or "Did you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{meant[0]}'?", ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would exit 1 for it, which says that a host failed.
            from poller.cli.streams import ReaderGoneError

            raise ReaderGoneError from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, _, sentence in COMMANDS])


def _with_global_options(command: click.Command, *, config: bool) -> click.Command:
    """`poller run -v --config FILE` means what `poller -v --config FILE run` does: people write either."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _with_global_options(one, config=config)
    elif not any("--verbose" in option.opts for option in command.params):
        command.params += [_config_option("config.xml to use.")] if config else []
        command.params.append(_verbose_option())
    return command


def _config_option(help_text: str) -> click.Option:
    return click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_take_config,
        help=help_text,
    )


def _verbose_option() -> click.Option:
    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_take_verbose,
        help="Say more on stderr; twice: everything, for a bug report.",
    )


def _take_config(ctx: click.Context, option: click.Parameter, path: Path | None) -> None:
    if path is not None:
        _settings(ctx).config_path = path


def _take_verbose(ctx: click.Context, option: click.Parameter, count: int) -> None:
    if count:
        _settings(ctx).say_more(count)


def _settings(ctx: click.Context) -> Any:
    from poller.cli.settings import Settings

    return ctx.ensure_object(Settings)


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[_config_option(_WHICH), _verbose_option()],
)
@click.version_option(__version__, "-V", "--version", prog_name="poller")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Watch a fleet over SSH with nothing installed on the hosts but sshd and python3.

    \b
    Start here:
      poller demo                     see it work on this machine
      poller init                     a config.xml that works as it stands
      poller run                      one round; put it into cron, or let
      poller daemon                   poll each host at its own interval, and stay
      poller status                   what the last round saw
    """
    _settings(ctx).say_more(0)


def main(argv: Sequence[str] | None = None) -> Any:
    """Entry point. Never shows a traceback for a mistake of the user or a fault of the outside world."""
    from poller.cli import ending, streams

    streams.prepare()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = cli.main(words, prog_name="poller", standalone_mode=False)
        streams.flush()
    except BaseException as error:
        if _command(words) == "check":  # a monitoring plugin, which has an end of its own
            from poller.cli import plugin

            code = plugin.unknown(error)
        else:
            code = ending.explain(error, as_json="--json" in words)
    sys.exit(code if isinstance(code, int) else 0)


def _command(words: Sequence[str]) -> str:
    """The command that is asked for: the first word that is neither an option nor what belongs to one."""
    left = iter(words)
    for word in left:
        if word == "--config":
            next(left, None)
        elif not word.startswith("-"):
            return word
    return ""

"""`poller daemon`: the poller that stays; and what is asked of one that runs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.settings import Settings, counted, inert, print_json

if TYPE_CHECKING:
    from poller.control import Client
    from poller.model import Config

# Seconds in which a daemon that was asked to stop is gone.
_GONE: Final = 15.0
# Hosts of which --status says why they are away.
_NAMED: Final = 10
# sd-daemon(3): what journald takes for the priority of a line.
_PRIORITY: Final = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (0, "<7>"))


@click.command("daemon")
@click.option("--status", "show", is_flag=True, help="Say how the daemon is that runs.")
@click.option("--reload", is_flag=True, help="Have it read config.xml again; exit 2 when it refuses that.")
@click.option("--stop", is_flag=True, help="End it, and wait until it has ended.")
@click.option("--json", "as_json", is_flag=True, help="With --status: print one JSON document.")
@click.option(
    "--processes", type=click.IntRange(1, 50), metavar="N",
    help="Share the hosts out among so many workers, whatever config.xml says.",
)  # fmt: skip
@click.option(
    "--socket", type=click.Path(path_type=Path), metavar="PATH",
    help="With one of these: where the daemon listens. Default: as config.xml says.",
)  # fmt: skip
@click.pass_obj
def command(
    settings: Settings,
    show: bool,
    reload: bool,
    stop: bool,
    as_json: bool,
    processes: int | None,
    socket: Path | None,
) -> int:
    """Poll every host at its own interval until a signal ends it.

    It stays in the foreground, holds one session at each host, and takes the place of `poller run` in
    cron. SIGHUP has it read config.xml again, SIGTERM and Ctrl-C end it within ten seconds; a second
    one at once. docs/daemon.md says more.

    Exits 0 after SIGTERM, 130 after Ctrl-C, 2 for mistakes, 74 when there is no journal to begin with,
    75 when another daemon or round runs.

    \b
    Examples:
      poller daemon                     here, with a line a minute; Ctrl-C ends it
      poller daemon --processes 4       when one core is not enough
      poller daemon --status            how is the one that runs?
      poller daemon --status --json | jq .polls
      poller daemon --reload            read config.xml again
      poller daemon --stop              end it
    """
    if sum((show, reload, stop)) > 1:
        raise click.UsageError("--status, --reload and --stop are one at a time")
    if as_json and not show:
        raise click.UsageError("--json goes with --status")
    if not (show or reload or stop):
        if socket is not None:
            raise click.UsageError("--socket goes with --status, --reload or --stop; a daemon's own is in config.xml")
        return _serve(settings, processes)
    if processes is not None:
        raise click.UsageError("--processes is for a daemon that is started")
    with _daemon(settings, socket) as client:
        if show:
            return _status(settings, client, as_json=as_json)
        return _reload(settings, client) if reload else _stop(settings, client)


def _serve(settings: Settings, processes: int | None) -> int:
    from poller.config import load
    from poller.daemon.service import serve
    from poller.daemon.supervision import Supervisor

    _speak(settings.verbose)
    supervisor = Supervisor.from_environment()
    path = settings.config.path  # the file that was found stays the one, wherever we are

    def asked_for(config: Config) -> Config:
        return config if processes is None else replace(config, processes=processes)

    return serve(asked_for(settings.config), lambda: asked_for(load(path)), supervisor)


class _Lines(logging.Handler):
    """Records on stderr, foreign text made inert: with the time of day, or as journald wants it."""

    def __init__(self, *, journald: bool) -> None:
        super().__init__()
        self._journald = journald

    def emit(self, record: logging.LogRecord) -> None:
        try:
            before = self._before(record)
            for line in inert(self.format(record)).split("\n"):  # of a traceback, each with its priority
                click.echo(f"{before}{line}", err=True)
        except Exception:
            self.handleError(record)

    def _before(self, record: logging.LogRecord) -> str:
        if self._journald:
            return next(text for level, text in _PRIORITY if record.levelno >= level)
        return time.strftime("%H:%M:%S ", time.localtime(record.created))


def _speak(verbose: int) -> None:
    """What the daemon itself says is shown, of all others warnings. In systemd's journal not a line each minute."""
    journald = _to_journald()
    logger = logging.getLogger("poller")
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(_Lines(journald=journald))
    if not verbose:
        logging.getLogger("poller.daemon").setLevel(logging.INFO)
        logging.getLogger("poller.daemon.service.minute").setLevel(logging.WARNING if journald else logging.INFO)


def _to_journald() -> bool:
    """Whether systemd's journal reads our stderr: whoever inherits its variable may have another (systemd.exec(5))."""
    with suppress(OSError):
        told = os.fstat(2)
        return os.environ.get("JOURNAL_STREAM") == f"{told.st_dev}:{told.st_ino}"
    return False


@contextmanager
def _daemon(settings: Settings, socket: Path | None) -> Iterator[Client]:
    """Of the daemon that config.xml is about, also when that has mistakes: the daemon has read a better one.

    Whom nobody answers is told when there is a daemon all the same.
    """
    from poller.control import Client, NotRunningError, socket_path
    from poller.daemon.beside import refuse_beside_daemon

    if socket is not None:
        yield Client(socket)
        return
    config = _config(settings)
    try:
        yield Client(socket_path(config))
    except NotRunningError:
        refuse_beside_daemon(config)
        raise


def _config(settings: Settings) -> Config:
    from poller.config.broken import salvage
    from poller.config.mistakes import WrongError
    from poller.errors import ConfigError

    try:
        return settings.config
    except ConfigError as error:
        try:
            config = salvage(settings.config_path)
        except WrongError:
            raise error from None
        first, more = error.mistakes[0], len(error.mistakes) - 1
        rest = f" (and {more} more: `poller check-config`)" if more else ""
        click.echo(f"poller: config.xml has mistakes; a daemon that runs goes on with what it has read before\n"
                   f"    {inert(str(first))}{rest}", err=True)  # fmt: skip
        return config


def _status(settings: Settings, client: Client, *, as_json: bool) -> int:
    document = client.ask("status")
    if as_json:
        print_json(document)
        return 0
    for line in _told(document):
        settings.out.print(inert(line), markup=False)
    return 0


def _told(document: dict[str, Any]) -> list[str]:
    polls = ", ".join(f"{count} {name}" for name, count in document["polls"].items() if count) or "none yet"
    links = ", ".join(f"{count} {name}" for name, count in document["links"].items() if count)
    lines = [
        f"process {document['pid']}, {document['config']}",
        f"{counted(document['hosts'], 'host')}: {links or 'none'}",
        f"polls: {polls}",
        f"{document['threads']} threads, {document['files']} files, {document['resident_bytes'] >> 20} MiB",
    ]
    if document["failing"]:
        lines.append(f"failing: {' '.join(document['failing'])}")
    lines += _sessions(document["sessions"], document["now_ms"])
    if document["waiting"] or document["trouble"]:
        lines.append(f"{counted(document['waiting'], 'poll')} wait for the journal: {document['trouble']}")
    if document["lost"]:
        lines.append(f"{counted(document['lost'], 'poll')} were lost: the journal could not be written")
    lines += [f"{duty['name']}: {duty['trouble']}" for duty in document["duties"] if duty["trouble"]]
    reloaded = document["reload"]
    return [*lines, *([reloaded["words"]] if reloaded["words"] else []), *reloaded.get("restart", ())]


def _sessions(sessions: list[dict[str, Any]], now_ms: int) -> list[str]:
    """Why hosts are away; of those that are back, and of too many, only `--json` tells."""
    lost = [one for one in sessions if one["link"] == "lost"]
    lines = [
        f"{one['host']}: lost for {(now_ms - one['since_ms']) // 1000} s, tried {counted(one['tries'], 'time')}: "
        f"{one['reason']}"
        for one in lost[:_NAMED]
    ]
    more = len(lost) - len(lines)
    return lines + ([f"and {counted(more, 'session')} more: `poller daemon --status --json`"] if more else [])


def _reload(settings: Settings, client: Client) -> int:
    answer = client.ask("reload")
    for line in (answer["words"], *answer.get("restart", ())):
        settings.out.print(inert(line), markup=False)
    return 2 if answer["refused"] else 0


def _stop(settings: Settings, client: Client) -> int:
    """Its socket goes first, then the journal; whoever may begin after it waits for the process."""
    from poller.control import NotRunningError
    from poller.daemon.beside import lives
    from poller.errors import BusyError

    pid = client.ask("stop")["pid"]
    ends = time.monotonic() + _GONE
    while time.monotonic() < ends:
        try:
            if not lives(pid):
                client.ask("status")  # in a container it has another number than here
        except NotRunningError:
            settings.out.print(f"process {pid} has ended", markup=False)
            return 0
        except BusyError:
            pass
        time.sleep(0.1)
    raise BusyError(f"process {pid} has not ended in {_GONE:.0f} s", "look at its log")

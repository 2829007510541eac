"""`poller daemon`: the poller that stays; and what is asked of one that runs."""

from __future__ import annotations

import logging
import os
import time
from typing import Any, Final

import click

from poller.cli.settings import Settings, counted, inert, print_json

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
@click.pass_obj
def command(settings: Settings, show: bool, reload: bool, stop: bool, as_json: bool) -> int:
    """Poll every host at its own interval until a signal ends it.

    It stays in the foreground, holds one session at each host, and takes the place of `poller run` in
    cron. SIGHUP has it read config.xml again, SIGTERM and Ctrl-C end it within ten seconds; a second
    one at once. docs/daemon.md says more.

    Exits 0 after SIGTERM, 130 after Ctrl-C, 2 for mistakes, 74 when there is no journal to begin with,
    75 when another daemon or round runs.

    \b
    Examples:
      poller daemon                     here, with a line a minute; Ctrl-C ends it
      poller daemon --status            how is the one that runs?
      poller daemon --status --json | jq .polls
      poller daemon --reload            read config.xml again
      poller daemon --stop              end it
    """
    if sum((show, reload, stop)) > 1:
        raise click.UsageError("--status, --reload and --stop are one at a time")
    if as_json and not show:
        raise click.UsageError("--json goes with --status")
    if show:
        return _status(settings, as_json=as_json)
    if reload:
        return _reload(settings)
    return _stop(settings) if stop else _serve(settings)


def _serve(settings: Settings) -> int:
    from poller.config import load
    from poller.daemon.service import serve
    from poller.daemon.supervision import Supervisor

    _speak(settings.verbose)
    supervisor = Supervisor.from_environment()
    path = settings.config.path  # the file that was found stays the one, wherever we are
    return serve(settings.config, lambda: load(path), supervisor)


class _Lines(logging.Handler):
    """One line per record on stderr, foreign text made inert: with the time of day, or as journald wants it."""

    def __init__(self, *, journald: bool) -> None:
        super().__init__()
        self._journald = journald

    def emit(self, record: logging.LogRecord) -> None:
        try:
            click.echo(f"{self._before(record)}{inert(self.format(record))}", err=True)
        except Exception:
            self.handleError(record)

    def _before(self, record: logging.LogRecord) -> str:
        if self._journald:
            return next(text for level, text in _PRIORITY if record.levelno >= level)
        return time.strftime("%H:%M:%S ", time.localtime(record.created))


def _speak(verbose: int) -> None:
    """What the daemon itself says is shown, of all others warnings. In systemd's journal not a line each minute."""
    journald = bool(os.environ.get("JOURNAL_STREAM"))
    logger = logging.getLogger("poller")
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(_Lines(journald=journald))
    if not verbose:
        logging.getLogger("poller.daemon").setLevel(logging.INFO)
        logging.getLogger("poller.daemon.service.minute").setLevel(logging.WARNING if journald else logging.INFO)


def _client(settings: Settings) -> Any:
    """ConfigError: config.xml, which says where the socket is, has mistakes. The daemon does not mind."""
    from poller.control import Client, socket_path
    from poller.errors import ConfigError

    try:
        config = settings.config
    except ConfigError:
        click.echo("poller: not asked; a daemon that runs goes on with what it has read before", err=True)
        raise
    return Client(socket_path(config))


def _status(settings: Settings, *, as_json: bool) -> int:
    document = _client(settings).ask("status")
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
    return lines + ([document["reload"]["words"]] if document["reload"]["words"] else [])


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


def _reload(settings: Settings) -> int:
    answer = _client(settings).ask("reload")
    settings.out.print(inert(answer["words"]), markup=False)
    return 2 if answer["refused"] else 0


def _stop(settings: Settings) -> int:
    from poller.control import NotRunningError
    from poller.errors import BusyError

    client = _client(settings)
    pid = client.ask("stop")["pid"]
    ends = time.monotonic() + _GONE
    while time.monotonic() < ends:
        try:
            client.ask("status")
        except NotRunningError:
            settings.out.print(f"process {pid} has ended", markup=False)
            return 0
        except BusyError:
            pass
        time.sleep(0.1)
    raise BusyError(f"process {pid} has not ended in {_GONE:.0f} s", "look at its log")

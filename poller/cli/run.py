"""`poller run`: one round, for cron, or one-shot over chosen hosts."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from poller.cli import run_asked, run_shown
from poller.cli.selecting import host_options
from poller.cli.settings import Settings, inert, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from poller.app import RoundResult, Selection
    from poller.daemon.account import Entry
    from poller.intake import Taken
    from poller.schedule import Stop

# Fewer hosts than this are done before a bar could be read.
_BAR_FROM = 10
_LOG = logging.getLogger(__name__)


@click.command("run")
@host_options
@click.option("--strict", is_flag=True, help="Exit 1 when any host failed, also in a round over all of them.")
@click.option("--dry-run", is_flag=True, help="Poll and judge, but neither store nor send anything.")
@click.option("--now", is_flag=True, help="Also try hosts that refused the last logins and are left alone for a while.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the poller's own trouble: what a cron line wants.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document with every metric.")
@click.pass_obj
def command(
    settings: Settings,
    hosts: tuple[str, ...],
    groups: tuple[str, ...],
    tags: tuple[str, ...],
    strict: bool,
    dry_run: bool,
    now: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Poll hosts once: ask, store, judge, notify.

    While a daemon runs, it is asked to do so, at once and over the sessions that it holds.

    Exits 0 when the round is done and stored (a host that failed is data), 1 when a host chosen by
    --host, --group or --tag failed (or any with --strict), 2 for mistakes, 74 when nothing can be
    stored, 75 when another round is going on, 130 or 143 when interrupted.

    \b
    Examples:
      poller run                                  every host
      poller run -q                               the same from cron: * * * * * poller run -q
      poller run --host web1 --host 'lab*'        just these, now
      poller run --host web1 --now                its key is repaired: do not wait until it is tried again
      poller run --group lab --dry-run            what would be stored and mailed?
      poller run --host web1 --json | jq '.hosts[0].metrics'
    """
    from poller.app import Selection, select

    selection = Selection(hosts, groups, tags)
    names = [host.name for host in select(settings.config, selection)]
    shown = not (quiet or as_json or settings.verbose)
    with _progress(settings, len(names), shown=shown) as advance:
        asked = None if dry_run else run_asked.by_daemon(settings.config, names, now=now, on_host=advance)
        if asked:
            document, stopped = asked
            complain, note = partial(run_asked.complain, settings, document, names), " (by the daemon)"
        else:
            result, entries = _by_ourselves(settings, selection, keep=not dry_run, now=now, advance=advance)
            document, stopped = run_shown.as_document(result, entries), result.stopped
            complain = partial(run_shown.complain, settings, result, quiet=quiet)
            note = " (dry run: nothing stored, nothing sent)" if dry_run else ""
    if as_json:
        print_json(document)
    elif not quiet:
        run_shown.show(settings, document, note)
    complain()
    return _exit_code(document, stopped, chosen=not selection.everything, strict=strict)


def _exit_code(document: Entry, stopped: int, *, chosen: bool, strict: bool) -> int:
    if stopped:
        return 128 + stopped
    hosts = document["hosts"]
    failed = any(one["outcome"] in ("failed", "skipped") for one in hosts) or len(hosts) < document["round"]["hosts"]
    return 1 if failed and (chosen or strict) else 0


def _by_ourselves(
    settings: Settings, selection: Selection, *, keep: bool, now: bool, advance: Callable[[Entry], object]
) -> tuple[RoundResult, list[Entry]]:
    """The round as it went, and what is said of each host."""
    from poller.app import run_round
    from poller.daemon.account import host_entry
    from poller.errors import BusyError
    from poller.schedule import Stop

    config, stop = settings.config, Stop()
    entries: list[Entry] = []

    def taken(one: Taken) -> None:
        entries.append(host_entry(one))
        advance(entries[-1])

    try:
        with _signals(stop):
            return run_round(config, selection, stop=stop, keep=keep, at_any_rate=now, on_taken=taken), entries
    except BusyError as error:
        from poller.control import socket_path

        hint = f"{error.hint}; if it is a daemon, its socket is not there: {socket_path(config)}"
        raise BusyError(error.sentence, hint) from error


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """The first SIGINT or SIGTERM lets the polls that have finished be stored; a second one ends at once."""

    def request(number: int, frame: object) -> None:
        if stop.requested:
            sys.exit(128 + number)
        stop.request(number)

    previous = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _progress(settings: Settings, count: int, *, shown: bool) -> Iterator[Callable[[Entry], object]]:
    if not shown or count < _BAR_FROM or not sys.stderr.isatty():
        yield _log_poll
        return
    from rich.progress import Progress

    with Progress(console=settings.err, transient=True) as progress:
        task = progress.add_task("polling", total=count)

        def advance(one: Entry) -> None:
            progress.update(task, advance=1, description=f"polled {inert(one['name'])}")

        yield advance


def _log_poll(one: Entry) -> None:
    """For -v: each host as it finishes, and where its time went."""
    stages = ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in one["stages"].items())
    failed = f", {one['stage']}/{one['code']}: {one['error']}" if one["stage"] else ""
    _LOG.info("%s: %s in %.2f s (%s)%s", one["name"], one["outcome"], one["seconds"], stages, failed)

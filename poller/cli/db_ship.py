"""`poller db ship` and `poller db retry`: send what waits for the archive now; try again what it refused."""

from __future__ import annotations

import threading

import click

from poller.cli.settings import Settings, complain, counted, inert, print_json
from poller.errors import UsageError

# sysexits.h: EX_IOERR
_AWAY = 74


@click.command("ship", short_help="Send what waits for the archive now.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def ship(context: click.Context, as_json: bool) -> None:
    """Send what waits in the journal to the archive. `poller run` does that after each round.

    Exit status 74 when the archive does not take it: everything stays in the journal. 1 when it refused something for
    good, which stays there, too.

    \b
    Examples:
      poller db ship
    """
    from poller.clock import now_ms
    from poller.store import Journal
    from poller.store.archive import ship as send

    settings: Settings = context.obj
    config = settings.config
    if config.archive is None:
        raise UsageError("config.xml has no <archive>", "without one the journal keeps all history itself")
    _look(settings)
    with Journal.open(config.journal, now_ms=now_ms(), archived=True) as journal:
        shipped = send(journal, config.archive, config.journal_bound, threading.Event(), now_ms)
    away = shipped.away
    if as_json:
        print_json(
            {"polls": shipped.polls, "rows": shipped.rows, "rejected": shipped.rejected, "waiting": shipped.waiting,
             "dropped": shipped.dropped, "away": away and {"code": away.code, "error": away.sentence}}
        )  # fmt: skip
    else:
        click.echo(
            f"{counted(shipped.polls, 'poll')} shipped ({counted(shipped.rows, 'row')}), {shipped.waiting} waiting"
        )
        if shipped.rejected:
            click.echo(f"{counted(shipped.rejected, 'item')} refused: `poller db status` says why")
    if away is not None:
        complain(away)
    context.exit(_AWAY if away is not None else int(shipped.rejected > 0))


@click.command("retry", short_help="Queue again what the archive refused.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def retry(settings: Settings, as_json: bool) -> None:
    """Queue again what the archive refused, once the reason is gone. The next round or `poller db ship` sends it.

    \b
    Examples:
      poller db retry
    """
    from poller.clock import now_ms
    from poller.store import Journal

    _look(settings)
    with Journal.open(settings.config.journal, now_ms=now_ms()) as journal:
        count = journal.queue().retry()
    if as_json:
        print_json({"queued": count})
    else:
        click.echo(inert(f"{counted(count, 'item')} queued again"))


def _look(settings: Settings) -> None:
    """StoreError when there is no journal yet: looking for what waits makes none."""
    from poller.store.database import reading

    with reading(settings.config.journal):
        pass

"""`poller unsilence`: ends silences before their time. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from poller.cli import author as who
from poller.cli import ids
from poller.cli.settings import Settings, print_json
from poller.errors import UsageError


def _offered(journal: Path, now: int) -> Iterator[tuple[str, str]]:
    from poller.cli import silences
    from poller.store import alerting

    for one in alerting.silences(journal, now):
        yield one.id, f"{silences.what(one)}: {one.comment}"


@click.command("unsilence")
@click.argument("endings", metavar="ID...", nargs=-1, required=True, shell_complete=ids.completer(_offered))
@click.option("--author", metavar="NAME", help="Who says so. Default: who called sudo, else the login name.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, endings: tuple[str, ...], author: str | None, as_json: bool) -> None:
    """End silences before their time. What is still open is told with the next round.

    An ID is what `poller silence` shows; its last four characters are enough when no other silence ends in them.

    \b
    Examples:
      poller unsilence 1f2e3d4c
      poller unsilence 1f2e3d4c 77aa --author ops
    """
    from poller.cli import silences
    from poller.clock import now_ms
    from poller.store import alerting

    now = now_ms()
    journal = settings.config.journal
    known = {one.id: one for one in alerting.silences(journal, now, everything=True)}
    wanted = dict.fromkeys(ids.found(one, list(known), "a silence", "`poller silence --all`") for one in endings)
    for number in wanted:
        state = silences.state(known[number], now)
        if state not in ("in force", "to come"):
            raise UsageError(f"silence {ids.short(number)} is {state} already", "`poller silence` lists those in force")
    name = who.author(author)
    for number in wanted:
        alerting.end_silence(journal, number, name, now)
    ended = [replace(known[number], ended_ms=now, ended_by=name) for number in wanted]
    if as_json:
        print_json({"now_ms": now, "silences": [silences.document(one, now) for one in ended]})
        return
    for one in ended:
        settings.out.print(f"no longer silent: {ids.short(one.id)} {silences.what(one)}", markup=False)

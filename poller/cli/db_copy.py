"""`poller db copy` and `poller db verify`: a whole database of history into another one, and whether they are equal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from poller.cli.db_places import Places, password_options
from poller.cli.settings import Settings, inert, print_json

if TYPE_CHECKING:
    from poller.store.archive.copying import Refusal
    from poller.store.archive.verifying import Verified

# Refusals that are named; a table that refuses everything would fill the screen.
_NAMED = 10


@click.command("copy", short_help="Copy a whole database of history FROM one place TO another.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@password_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def copy(
    context: click.Context, source: str, target: str, password_file: Path | None, password_env: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Copy a whole database of history: SQLite to MySQL, back, or either to another of its kind.

    FROM and TO are `journal` or `archive` as config.xml has them, mysql://USER@HOST/DATABASE, sqlite:FILE or a file.
    The tables must be there in MySQL (`poller db upgrade`). Run again it goes on where it was broken off; rows that
    both have stay as the newer is. The poller may go on meanwhile; what it adds is copied the next time. What the
    target refuses for good is named, and the rest is copied: exit status 1.

    \b
    Examples:
      poller db copy journal archive
      poller db copy archive sqlite:/backup/history.db
      poller db copy old.db mysql://poller@db.example.org/poller --password-file db.pass
    """
    from poller.store.archive.copying import copy as copy_all

    settings: Settings = context.obj
    places = Places(settings, password_file, password_env)
    places.differ(source, target)
    with places.reading(source) as here, places.writing(target) as there, _progress(settings) as advance:
        copied = copy_all(here, there, advance)
    if (source, target) == ("journal", "archive"):
        _note_copied(settings)
    if as_json:
        refused = [asdict(one) for one in copied.refused]
        print_json({"from": source, "to": target, "rows": dict(copied.rows), "refused": refused})
    else:
        _show_rows(settings, copied.rows)
        _complain(settings, copied.refused)
    context.exit(1 if copied.refused else 0)


def _note_copied(settings: Settings) -> None:
    """The archive has now what was there before it: the journal need not keep it longer."""
    from poller.clock import now_ms
    from poller.store import Journal

    with Journal.open(settings.config.journal, now_ms=now_ms()) as journal:
        journal.queue().copied()


@contextmanager
def _progress(settings: Settings) -> Iterator[Callable[[int, int], None]]:
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.progress import Progress

    with Progress(console=settings.err, transient=True) as progress:
        task = progress.add_task("polls", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def _show_rows(settings: Settings, sent: Mapping[str, int]) -> None:
    from poller.cli.table import cell, plain_table

    table = plain_table("TABLE", ">ROWS COPIED")
    for name, count in sent.items():
        table.add_row(cell(name), str(count))
    settings.out.print(table)


def _complain(settings: Settings, refused: Sequence[Refusal]) -> None:
    for one in refused[:_NAMED]:
        settings.err.print(f"refused: {one.table} {inert(one.item)}: {inert(one.error)}", markup=False)
    if len(refused) > _NAMED:
        settings.err.print(f"refused: {len(refused) - _NAMED} more, see --json", markup=False)


@click.command("verify", short_help="Compare two databases of history, row by row.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@password_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def verify(
    context: click.Context, source: str, target: str, password_file: Path | None, password_env: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Compare two databases row by row, whatever numbers each gives its hosts, and name the first differences.
    Each makes its own roll-ups: one that only one of them has, or that is of other samples, is no difference.

    FROM and TO as in `poller db copy`. Exit status 1 when they differ. A journal keeps for a day only what its archive
    has, so compare them right after copying, and while no round goes on.

    \b
    Examples:
      poller db verify journal archive
      poller db verify archive sqlite:/backup/history.db --json
    """
    from poller.store.archive.verifying import verify as compare

    settings: Settings = context.obj
    places = Places(settings, password_file, password_env)
    places.differ(source, target)
    with places.reading(source) as here, places.reading(target) as there:
        found = compare(here, there)
    if as_json:
        print_json(_document(found))
    else:
        _show_differences(settings, found)
    context.exit(0 if found.equal else 1)


def _document(found: Verified) -> dict[str, object]:
    return {
        "equal": found.equal,
        "tables": {
            name: {"from": one, "to": other, "differing": found.differing.get(name, 0)}
            for name, (one, other) in found.rows.items()
        },
        "first": [{"table": one.table, "key": one.key, "what": one.what} for one in found.first],
    }


def _show_differences(settings: Settings, found: Verified) -> None:
    from poller.cli.table import cell, plain_table

    table = plain_table("TABLE", ">FROM", ">TO", ">DIFFERING")
    for name, (one, other) in found.rows.items():
        table.add_row(cell(name), str(one), str(other), str(found.differing.get(name, 0)))
    settings.out.print(table)
    for difference in found.first:
        click.echo(inert(f"{difference.table} {difference.key}: {difference.what}"))
    click.echo("equal" if found.equal else "they differ")

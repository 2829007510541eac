"""`poller db`: look after journal and archive. Here: backup and prune; the other commands have a file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poller.cli.db_copy import copy, verify
from poller.cli.db_schema import init, upgrade
from poller.cli.db_ship import retry, ship
from poller.cli.db_status import status
from poller.cli.settings import Settings, counted, inert, print_json

if TYPE_CHECKING:
    from poller.model import ArchiveSettings, Retention
    from poller.store.prune import Pruned


@click.group("db", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look after journal and archive: schema, copies, shipping, pruning.

    \b
    Examples:
      poller db status                     sizes, rows, schema, what waits for the archive
      poller db backup /backup/poller.db   a copy, also while the poller works
      poller db prune --dry-run            what is older than <retention> allows
      poller db copy journal archive       all history into the archive
    """


for _command in (status, init, upgrade, copy, verify, ship, retry):
    command.add_command(_command)


@command.command("backup", short_help="Copy the database to FILE, also while it is written.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def backup(settings: Settings, file: Path, as_json: bool) -> None:
    """Copy the database to FILE, complete as of one moment, while the poller may go on writing.

    To restore, stop the poller and put the copy in the place of the database (without the -wal and -shm files).

    \b
    Examples:
      poller db backup /backup/poller-monday.db
    """
    from poller.cli.table import quantity
    from poller.store.backup import backup as copy_file

    size = copy_file(settings.config.journal, file)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        _say(f"{file}: {quantity(size, 'bytes')}")


@command.command("prune", short_help="Delete what is older than <retention> allows.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def prune(settings: Settings, dry_run: bool, as_json: bool) -> None:
    """Delete what is older than <retention> allows and give the space back.

    `poller run` does this once an hour. Open alerts and messages still owed are kept, however old. An archive is
    pruned as well; what it has leaves the journal after a day. While another prune is at work it says so and leaves
    the journal to that one.

    \b
    Examples:
      poller db prune --dry-run
      poller db prune
    """
    from poller.clock import now_ms
    from poller.store import Journal
    from poller.store.database import reading
    from poller.store.prune import prune as cut

    config = settings.config
    with reading(config.journal) as connection:  # also refuses where there is nothing to prune yet
        pruned = cut(connection, config.retention, now_ms(), dry=True) if dry_run else None
    there = None
    if pruned is None:
        with Journal.open(config.journal, now_ms=now_ms()) as journal:
            pruned = journal.prune(config.retention, now_ms())
            waiting_ms = journal.queue().oldest()
        if config.archive is not None:
            there = _prune_archive(config.archive, config.retention, waiting_ms)
    if as_json:
        result: dict[str, Any] = {
            "dry_run": dry_run, "busy": pruned.busy, "rows": dict(pruned.rows), "freed_bytes": pruned.freed_bytes,
        }  # fmt: skip
        print_json(result if there is None else result | {"archive_rows": there})
        return
    if pruned.busy:
        _say("another prune is at work")
    else:
        _print(settings, pruned, dry_run=dry_run)
    if there is not None:
        _say(f"{config.archive}: {counted(there, 'row')} deleted")


def _print(settings: Settings, pruned: Pruned, *, dry_run: bool) -> None:
    """Rows by table, and what the disk got back."""
    from poller.cli.table import plain_table, quantity

    table = plain_table("TABLE", ">ROWS TOO OLD" if dry_run else ">ROWS DELETED")
    for name, count in pruned.rows.items():
        table.add_row(name, str(count))
    settings.out.print(table)
    if not dry_run:
        _say(f"given back: {quantity(pruned.freed_bytes, 'bytes')}")


def _prune_archive(archive: ArchiveSettings, retention: Retention, waiting_ms: int | None) -> int:
    """Rows deleted there; nothing that the poll which waits longest needs. StoreError when it is away."""
    import threading
    from contextlib import closing

    from poller.clock import now_ms
    from poller.store.archive.places import open_archive
    from poller.store.archive.trimming import trim_archive

    with closing(open_archive(archive, now_ms())) as opened:
        return trim_archive(opened, retention, threading.Event(), now_ms(), waiting_ms)


def _say(text: str) -> None:
    click.echo(inert(text))

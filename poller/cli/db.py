"""`poller db`: look after the database: how it is, bring its schema up to date, copy it, cut its history."""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poller.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from poller.store.info import DatabaseInfo


@click.group("db", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look after the database: status, upgrade, backup, prune.

    \b
    Examples:
      poller db status                     sizes, rows, schema
      poller db backup /backup/poller.db   a copy, also while the poller works
      poller db prune --dry-run            what is older than <retention> allows
    """


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show sizes, rows and the schema of the database.

    \b
    Examples:
      poller db status
      poller db status --json
    """
    from poller.store.info import info

    found = info(settings.config.journal)
    if as_json:
        print_json(dataclasses.asdict(found) | {"path": str(found.path)})
    else:
        _show_status(settings, found)


def _show_status(settings: Settings, found: DatabaseInfo) -> None:
    from poller.cli.table import cell, plain_table, quantity

    facts = plain_table("DATABASE", "")
    facts.add_row("file", cell(str(found.path)))
    facts.add_row("schema", f"{found.schema} (this poller knows {found.known_schema})")
    facts.add_row("size", quantity(found.file_bytes, "bytes"))
    facts.add_row("write-ahead log", quantity(found.log_bytes, "bytes"))
    facts.add_row("free inside", quantity(found.free_bytes, "bytes"))
    facts.add_row("pruned", _datetime(found.pruned_ms))
    settings.out.print(facts)
    settings.out.print()
    rows = plain_table("TABLE", ">ROWS")
    for name, count in found.rows.items():
        rows.add_row(cell(name), str(count))
    settings.out.print(rows)


def _datetime(instant_ms: int | None) -> str:
    if instant_ms is None:
        return "never"
    return datetime.fromtimestamp(instant_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


@command.command("upgrade", short_help="Make the database, or bring its schema up to date.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def upgrade(settings: Settings, as_json: bool) -> None:
    """Make the database, or bring its schema up to date; a copy is kept beside it.

    `poller run` does the same by itself. Running it again does no harm.

    \b
    Examples:
      poller db upgrade
    """
    from poller.store import Journal
    from poller.store.info import info
    from poller.store.sql import migrations

    path = settings.config.journal
    before = info(path).schema if path.exists() and path.stat().st_size else 0
    Journal.open(path, now_ms=_now_ms()).close()
    after = len(migrations())
    if as_json:
        print_json({"path": str(path), "before": before, "after": after})
    elif before == after:
        _say(f"{path}: schema {after} is up to date")
    else:
        _say(f"{path}: schema {before} -> {after}" + (f", copy in {path.name}.schema-{before}" if before else ""))


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
    from poller.store.backup import backup as copy

    size = copy(settings.config.journal, file)
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

    `poller run` does this once an hour. Open alerts and messages still owed are kept, however old.

    \b
    Examples:
      poller db prune --dry-run
      poller db prune
    """
    from poller.cli.table import plain_table, quantity
    from poller.store import Journal
    from poller.store.database import reading
    from poller.store.prune import prune as cut

    config = settings.config
    with reading(config.journal) as connection:  # also refuses where there is nothing to prune yet
        pruned = cut(connection, config.retention, _now_ms(), dry=True) if dry_run else None
    if pruned is None:
        with Journal.open(config.journal, now_ms=_now_ms()) as journal:
            pruned = journal.prune(config.retention, _now_ms())
    if as_json:
        result: dict[str, Any] = {"dry_run": dry_run, "rows": dict(pruned.rows), "freed_bytes": pruned.freed_bytes}
        print_json(result)
        return
    table = plain_table("TABLE", ">ROWS TOO OLD" if dry_run else ">ROWS DELETED")
    for name, count in pruned.rows.items():
        table.add_row(name, str(count))
    settings.out.print(table)
    if not dry_run:
        _say(f"given back: {quantity(pruned.freed_bytes, 'bytes')}")


def _say(text: str) -> None:
    from poller.cli.settings import inert

    click.echo(inert(text))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

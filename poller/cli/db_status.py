"""`poller db status`: sizes, rows and schema of the database, and how the archive is."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from poller.cli.settings import Settings, counted, print_json

if TYPE_CHECKING:
    from poller.model import ArchiveSettings
    from poller.store.info import DatabaseInfo


@click.command("status", short_help="Show sizes, rows and schema, and how the archive is.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show sizes, rows and the schema of the database, and what waits for the archive.

    \b
    Examples:
      poller db status
      poller db status --json
    """
    from poller.store.info import info

    config = settings.config
    found = info(config.journal)
    archive = None if config.archive is None else _archive(settings, config.archive)
    if as_json:
        print_json(dataclasses.asdict(found) | {"path": str(found.path), "archive": archive})
        return
    _show_database(settings, found)
    if archive is not None:
        _show_archive(settings, archive)
    _show_rows(settings, found)


def _archive(settings: Settings, archive: ArchiveSettings) -> dict[str, Any]:
    """The stable JSON form. `schema` is None when it cannot be asked now; `problem` then says why."""
    from poller.errors import PollerError
    from poller.store.archive.places import reading_archive
    from poller.store.info import refusals
    from poller.store.views import shipping

    schema, problem = None, None
    try:
        with reading_archive(archive) as opened:
            schema = opened.check()
    except PollerError as error:
        problem = {"code": error.code, "error": error.sentence, "hint": error.hint}
    state = dataclasses.asdict(shipping(settings.config.journal))
    first = [dataclasses.asdict(one) for one in refusals(settings.config.journal)]
    return {"place": str(archive), "schema": schema, "problem": problem, **state, "first_rejected": first}


def _show_database(settings: Settings, found: DatabaseInfo) -> None:
    from poller.cli.table import cell, plain_table, quantity

    facts = plain_table("DATABASE", "")
    facts.add_row("file", cell(str(found.path)))
    facts.add_row("schema", f"{found.schema} (this poller knows {found.known_schema})")
    facts.add_row("size", quantity(found.file_bytes, "bytes"))
    facts.add_row("write-ahead log", quantity(found.log_bytes, "bytes"))
    facts.add_row("free inside", quantity(found.free_bytes, "bytes"))
    facts.add_row("pruned", moment(found.pruned_ms))
    settings.out.print(facts)
    settings.out.print()


def _show_archive(settings: Settings, archive: dict[str, Any]) -> None:
    from poller.cli.table import cell, plain_table

    facts = plain_table("ARCHIVE", "")
    facts.add_row("place", cell(archive["place"]))
    problem = archive["problem"]
    facts.add_row("schema", str(archive["schema"]) if problem is None else cell(f"unknown: {problem['error']}"))
    waiting = counted(archive["waiting"], "poll")
    facts.add_row(
        "waiting", f"{waiting}, the oldest of {moment(archive['oldest_ms'])}" if archive["waiting"] else "0 polls"
    )
    facts.add_row("shipped", moment(archive["shipped_ms"]))
    if archive["away_since_ms"] is not None:
        facts.add_row("away since", cell(f"{moment(archive['away_since_ms'])} ({archive['code']}): {archive['error']}"))
    if archive["rejected"]:
        facts.add_row("refused", f"{archive['rejected']}; `poller db retry` queues them again")
    for one in archive["first_rejected"]:
        facts.add_row("", cell(f"{one['kind']} {one['item']}: {one['error']}"))
    if archive["uncopied_ms"] is not None:
        facts.add_row(
            "not copied", f"history before {moment(archive['uncopied_ms'])}: `poller db copy journal archive`"
        )
    settings.out.print(facts)
    settings.out.print()


def _show_rows(settings: Settings, found: DatabaseInfo) -> None:
    from poller.cli.table import cell, plain_table

    rows = plain_table("TABLE", ">ROWS")
    for name, count in found.rows.items():
        rows.add_row(cell(name), str(count))
    settings.out.print(rows)


def moment(instant_ms: int | None) -> str:
    """A datetime in UTC, or `never`."""
    if instant_ms is None:
        return "never"
    return datetime.fromtimestamp(instant_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")

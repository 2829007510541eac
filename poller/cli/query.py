"""`poller query`: questions of the cookbook, or one of your own, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from poller.cli.instant import instant, shown
from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, inert, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from poller.model import ArchiveSettings
    from poller.store.query import Query, Result


def _complete_query(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from poller.store.query import cookbook

    return [name for name in cookbook() if name.startswith(incomplete)]


@click.command("query")
@click.argument("name", required=False, shell_complete=_complete_query)
@click.option(
    "--since", "since_ms", callback=instant, metavar="WHEN", help="Only what is newer: 24h, 7d, 2026-01-31 (UTC)."
)
@click.option("--until", "until_ms", callback=instant, metavar="WHEN", help="Only what is older.")
@click.option("--host", metavar="NAME", shell_complete=complete_host, help="Only these hosts; * and ? work.")
@click.option("--text", metavar="WORDS", help="Only what holds these words, capital letters and all (log-search).")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many rows.")
@click.option("--sql", metavar="STATEMENT", help="A question of your own: one SELECT, which can only read.")
@click.option("--journal", "journal", is_flag=True, help="Ask the journal, also when an archive is configured.")
@click.option("--show", is_flag=True, help="Print the SQL, to paste and change, instead of running it.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects, one per row.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="CSV with a header; cells that a spreadsheet would run are made inert."
)
@click.pass_obj
def command(
    settings: Settings,
    name: str | None,
    since_ms: int | None,
    until_ms: int | None,
    host: str | None,
    text: str | None,
    limit: int | None,
    sql: str | None,
    journal: bool,
    show: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Ask the database one of the cookbook's questions; without NAME, list them.

    The database is the archive that config.xml names, otherwise the journal.

    \b
    Examples:
      poller query                                    what can be asked
      poller query cpu-top --since 7d --limit 10
      poller query outages --host 'lab*' --json
      poller query log-search --text 'Failed password' --since 1h
      poller query disk-growth --show > mine.sql      the SQL, to change
      poller query --sql 'SELECT * FROM hosts'
    """
    from poller.errors import UsageError
    from poller.store import query as cookbook

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other", "give one of them")
    if sql is not None:
        if name or since_ms or until_ms or host or text or show:
            raise UsageError("--sql is a question of its own", "write hosts and times into its WHERE")
        answer = cookbook.ask_sql(_source(settings, journal), sql, limit)
    elif name is None:
        _list(settings, as_json, as_csv)
        return
    else:
        page = cookbook.find(name)
        if show:
            click.echo(page.text, nl=False)
            return
        answer = cookbook.ask(_source(settings, journal), page, _values(since_ms, until_ms, host, text), limit)
    _print(settings, answer, as_json, as_csv)
    if not journal:
        _tell_what_is_missing(settings)


def _tell_what_is_missing(settings: Settings) -> None:
    """An archive that is held back answers with old history as if there were no other."""
    from poller.clock import now_ms
    from poller.errors import StoreError
    from poller.itself import away_in_words
    from poller.store.views import shipping

    if settings.config.archive is None:
        return
    try:
        words = away_in_words(shipping(settings.config.journal), now_ms())
    except StoreError:
        return  # asked from a machine that has the archive only
    if words:
        settings.err.print(f"poller: {inert(words)}: --journal asks it", markup=False)


def _source(settings: Settings, journal: bool) -> Path | ArchiveSettings:
    config = settings.config
    return config.journal if journal or config.archive is None else config.archive


def _values(since_ms: int | None, until_ms: int | None, host: str | None, text: str | None) -> dict[str, Any]:
    from poller.store.query import containing, like

    given = {
        "since_ms": since_ms,
        "until_ms": until_ms,
        "host_like": like(host) if host else None,
        "text_like": containing(text) if text else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _list(settings: Settings, as_json: bool, as_csv: bool) -> None:
    from poller.cli.table import plain_table
    from poller.store.query import Result, cookbook

    pages = list(cookbook().values())
    if as_json:
        print_json([_document(page) for page in pages])
        return
    if as_csv:
        _print(settings, Result(("name", "title"), tuple((page.name, page.title) for page in pages)), False, True)
        return
    table = plain_table("QUERY", "WHAT IT ANSWERS")
    for page in pages:
        table.add_row(page.name, page.title)
    settings.out.print(table)


def _document(page: Query) -> dict[str, Any]:
    return {"name": page.name, "title": page.title, "explanation": page.explanation, "given": list(page.given)}


def _print(settings: Settings, answer: Result, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json(
            [{column: _plain(cell) for column, cell in zip(answer.columns, row, strict=True)} for row in answer.rows]
        )
    elif as_csv:
        click.echo(csv_text(answer), nl=False)
    else:
        print_table(settings, answer)
    if answer.more:
        settings.err.print("poller: there are more rows than --limit allows", markup=False)


def _plain(cell: Any) -> Any:
    """JSON has no bytes and no infinity."""
    if isinstance(cell, bytes):
        return cell.hex()
    return str(cell) if isinstance(cell, float) and cell - cell != 0 else cell


def print_table(settings: Settings, answer: Result) -> None:
    """Rows for people: numbers on the right, sizes and instants by the unit in the name of their column."""
    from poller.cli.foreign import one_line
    from poller.cli.table import plain_table

    if not answer.rows:
        settings.err.print("poller: no rows", markup=False)
    table = plain_table(*(f"{_align(answer, place)}{name}" for place, name in enumerate(answer.columns)))
    for row in answer.rows:
        table.add_row(*(one_line(_shown(name, value)) for name, value in zip(answer.columns, row, strict=True)))
    settings.out.print(table)


def _align(answer: Result, place: int) -> str:
    """Numbers stand on the right."""
    found = [row[place] for row in answer.rows if row[place] is not None]
    return ">" if found and all(isinstance(value, (int, float)) for value in found) else ""


def _shown(column: str, value: Any) -> str:
    """A cell for people: sizes and instants by the unit in the name of their column."""
    from poller.cli.table import figures, quantity

    if value is None:
        return "-"
    if isinstance(value, (int, float)):
        if column.endswith("_ms") and 0 <= value < 1e14:
            return shown(value)
        if column.endswith(("_bytes", "bytes_per_second", "bytes_per_day")):
            return quantity(float(value), "bytes")
        return str(value) if isinstance(value, int) else figures(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def csv_text(answer: Result) -> str:
    """RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front of it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(answer.columns)
    for row in answer.rows:
        writer.writerow([_inert_cell(cell) for cell in row])
    return text.getvalue()


def _inert_cell(cell: Any) -> Any:
    """Numbers stay numbers, also negative ones. The signs are those of OWASP's page on CSV injection."""
    if isinstance(cell, bytes):
        return cell.hex()
    return "'" + cell if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell

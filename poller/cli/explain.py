"""`poller explain CODE`: what a code means, its usual causes, and the commands that tell them apart."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from poller.cli.settings import Settings, inert, print_json

if TYPE_CHECKING:
    from poller.cli.explanations import Entry


def _complete(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    from poller.cli.explanations import entries

    return [entry.name for entry in entries() if entry.name.startswith(incomplete)]


@click.command("explain")
@click.argument("code", required=False, shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, code: str | None, as_json: bool) -> None:
    """Say more about CODE, as it stands in tables, alerts and hints; without one list them all.

    \b
    Examples:
      poller explain auth/denied
      poller explain docs/troubleshooting.md#auth-denied
      poller explain
    """
    from poller.cli.explanations import entries, find

    if code is None:
        if as_json:
            print_json({"codes": [_document(entry) for entry in entries()]})
        else:
            _list(settings, entries())
        return
    entry = find(code)
    if as_json:
        print_json(_document(entry))
    else:
        click.echo(inert(_page(entry)))


def _document(entry: Entry) -> dict[str, Any]:
    from poller.cli.explanations import PAGE

    return {"code": entry.name, "sentence": entry.sentence, "hint": entry.hint, "security": entry.security,
            "text": entry.text, "where": f"{PAGE}#{entry.anchor}"}  # fmt: skip


def _list(settings: Settings, found: tuple[Entry, ...]) -> None:
    from poller.cli.table import cell, plain_table

    table = plain_table("CODE", "MEANING")
    for entry in found:
        table.add_row(entry.name, cell(entry.sentence or _first(entry.text)))
    settings.out.print(table)


def _first(text: str) -> str:
    """The first sentence of what is written, without its opening word."""
    sentence = " ".join(text.partition("\n\n")[0].split()).removeprefix("Seen: ")
    return sentence.partition(". ")[0].rstrip(".")


def _page(entry: Entry) -> str:
    from poller.cli.explanations import PAGE

    lines = [entry.name + (" (security)" if entry.security else "")]
    if entry.sentence:
        lines += [f"{entry.sentence[0].upper()}{entry.sentence[1:]}.", "", _folded(f"What to do: {entry.hint}.")]
    blocks = (_block(block) for block in entry.text.split("\n\n"))
    return "\n".join([*lines, "", "\n\n".join(blocks), "", f"{PAGE}#{entry.anchor}"])


def _block(block: str) -> str:
    """A paragraph or a list, folded for the terminal; commands stay as they are, to be copied."""
    if block.startswith("    "):
        return block
    items = re.split(r"\n(?=\d+\. )", block)
    return "\n".join(_folded(item, "   " if item[:1].isdigit() else "") for item in items)


def _folded(text: str, indent: str = "") -> str:
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    return textwrap.fill(
        " ".join(text.split()), width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )

"""`poller doctor`: every stage of a poll, one line each, and what to do about what is wrong. Stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, inert, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from poller.cli.findings import Finding

_STYLES = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


@click.command("doctor")
@click.argument("hosts", nargs=-1, metavar="[HOST]...", shell_complete=complete_host)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, hosts: tuple[str, ...], as_json: bool) -> int:
    """Go through every stage of a poll of HOST... (globs work; default: all) and of the poller's own set-up.

    Polls for real and connects to the mail server, but stores and mails nothing.
    Exits 1 when something failed.

    \b
    Examples:
      poller doctor            the poller itself, then every host
      poller doctor 'lab*'     some of them
    """
    from poller.app import Selection, ask_all, select
    from poller.cli.findings import examine, own

    chosen = select(settings.config, Selection(hosts=hosts))
    report: dict[str, list[Finding]] = {"poller": []}
    if not as_json:
        _head(settings, "poller")
    for finding in own(settings.config):
        report["poller"].append(finding)
        if not as_json:
            _show(settings, [finding])
    for poll in ask_all(settings.config, chosen):
        report[poll.host] = list(examine(poll))
        if not as_json:
            _head(settings, poll.host)
            _show(settings, report[poll.host])
    failed = any(finding.mark == "FAIL" for found in report.values() for finding in found)
    if as_json:
        print_json({name: [_document(finding) for finding in found] for name, found in report.items()})
    elif failed:
        settings.out.print("\n`poller explain CODE` says more about a code", markup=False)
    return int(failed)


def _document(finding: Finding) -> dict[str, Any]:
    return {"mark": finding.mark, "subject": finding.subject, "text": finding.text, "fix": finding.fix}


def _head(settings: Settings, name: str) -> None:
    from rich.text import Text

    settings.out.print(Text(inert(name), style="bold"))


def _show(settings: Settings, findings: Iterable[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    for finding in findings:
        line = Table.grid(padding=(0, 1))  # a table of its own, because lines come as they are found
        for width in (8, 18):
            line.add_column(min_width=width, no_wrap=True)
        line.add_column(overflow="fold")
        text = inert(finding.text) + (f"\n-> {inert(finding.fix)}" if finding.fix else "")
        mark = Text("  ") + Text(f"[{finding.mark}]", style=_STYLES[finding.mark])
        line.add_row(mark, Text(inert(finding.subject)), Text(text))
        settings.out.print(line)

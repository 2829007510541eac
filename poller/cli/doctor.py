"""`poller doctor`: every stage of a poll, one line each, and what to do about what is wrong. Stores nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from poller.cli.settings import Settings, inert, print_json

if TYPE_CHECKING:
    from poller.model import Config, Poll, Section

_STYLES = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how it stands with `subject`, and the way out."""

    mark: Literal["OK", "WARN", "FAIL"]
    subject: str
    text: str
    fix: str = ""


@click.command("doctor")
@click.argument("hosts", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, hosts: tuple[str, ...], as_json: bool) -> int:
    """Go through every stage of a poll of HOSTS (default: all) and of the poller's own set-up.

    Polls for real, but stores and mails nothing. Exits 1 when something failed.

    \b
    Examples:
      poller doctor            the poller itself, then every host
      poller doctor 'lab*'     some of them
    """
    from poller.app import Selection, ask_all, select

    chosen = select(settings.config, Selection(hosts=hosts))
    report: dict[str, list[Finding]] = {"poller": list(_poller(settings.config))}
    if not as_json:
        _show(settings, "poller", report["poller"])
    for poll in ask_all(settings.config, chosen):
        report[poll.host] = list(examine(poll))
        if not as_json:
            _show(settings, poll.host, report[poll.host])
    if as_json:
        print_json({name: [_document(finding) for finding in found] for name, found in report.items()})
    return int(any(finding.mark == "FAIL" for found in report.values() for finding in found))


def _document(finding: Finding) -> dict[str, Any]:
    return {"mark": finding.mark, "subject": finding.subject, "text": finding.text, "fix": finding.fix}


def _show(settings: Settings, name: str, findings: list[Finding]) -> None:
    from rich.text import Text

    settings.out.print(Text(inert(name), style="bold"))
    for finding in findings:
        line = Text("  ")
        line.append(f"[{finding.mark}]".ljust(7), style=_STYLES[finding.mark])
        line.append(f"{inert(finding.subject):21} {inert(finding.text)}")
        if finding.fix:
            line.append(f"\n          -> {inert(finding.fix)}")
        settings.out.print(line)


def _poller(config: Config) -> Iterator[Finding]:
    """The poller's own set-up: configuration, journal, mail."""
    yield Finding("OK", "config", f"{config.path}: {len(config.hosts)} hosts")
    folder = config.journal.parent
    place = config.journal if config.journal.exists() else folder
    if config.journal.exists() or folder.is_dir():
        if os.access(place, os.W_OK) and os.access(folder, os.W_OK):
            yield Finding("OK", "journal", str(config.journal))
        else:
            yield Finding("FAIL", "journal", f"{place} is not writable", f"run the poller as the owner of {folder}")
    else:
        yield Finding("OK", "journal", f"{config.journal} will be made by the first round")
    if config.mail is None:
        yield Finding("WARN", "mail", "no <mail>: alerts are stored, nobody is told", "add <mail> and <contact>")
    else:
        fix = "`poller notify test --to NAME` sends one"
        yield Finding("OK", "mail", f"{config.mail.server}:{config.mail.port} ({config.mail.security}), not tried", fix)


def examine(poll: Poll) -> Iterator[Finding]:
    """Every stage that was reached, the one that failed, then every section of the report."""
    for stage, seconds in poll.stages.items():
        if stage != poll.stage:
            yield Finding("OK", stage, f"{_detail(poll, stage)}{seconds:.3f} s")
    if poll.outcome in ("failed", "skipped"):
        yield Finding("FAIL", poll.stage or "poll", f"{poll.code}: {poll.error}", poll.hint)
    if poll.report is not None:
        yield Finding("OK", "python", poll.report.python)
        for section in poll.report.now.sections:
            yield _section(section)


def _detail(poll: Poll, stage: str) -> str:
    details = {
        "connect": poll.address,
        "hostkey": poll.host_key,
        "probe": f"{poll.sent_bytes / 1000:.1f} KB up, {poll.received_bytes / 1000:.1f} KB down",
    }
    detail = details.get(stage, "")
    return f"{detail}, " if detail else ""


_SECTION_FIXES = {
    "denied": "the login may not read this: see docs/security.md on groups and become=",
    "failed": "report it with the output of `python3 -m remote_probe` on that host",
    "timeout": "the host was too slow for this section: look at its load, or raise deadline=",
}


def _section(section: Section) -> Finding:
    subject, status = f"section {section.name}", str(section.status)
    if status == "ok" and not section.reason:
        return Finding("OK", subject, f"{len(section.rows)} rows, {section.seconds:.3f} s")
    if status == "absent":
        return Finding("OK", subject, f"not on this host: {section.reason}")
    return Finding("WARN", subject, f"{status}: {section.reason}", _SECTION_FIXES.get(status, ""))

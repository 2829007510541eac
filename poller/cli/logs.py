"""`poller logs`: the log lines of many hosts by time, and what comes in now; what could not be read is told first."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click
from rich.text import Text

from poller.cli import past
from poller.cli.grep import Grep, Spans, bounded
from poller.cli.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from poller.model import ArchiveSettings, Severity
    from poller.store.loglines import LineFilter, LogState, StoredLine

_STYLES: Final = {"high": "red", "medium": "yellow"}
_MATCH: Final = "bold reverse"


@click.command("logs")
@past.hosts_option
@click.option("--log", "names", multiple=True, metavar="LOG", help="Only this <log> or <journal>; globs work.")
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only lines of this program; globs work.")
@click.option("--grep", "pattern", metavar="REGEX", help="Only lines in which this regular expression is found.")
@past.severity_option("lines")
@past.since_option(None, "Only what is newer: 90s, 24h, 7d, 2026-01-31 (UTC).")
@past.until_option
@past.limit_option
@click.option("-f", "--follow", is_flag=True, help="Go on with what the polls bring, until Ctrl-C.")
@past.journal_option
@click.option("--json", "as_json", is_flag=True, help="One object per line; logs in trouble first, with a state.")
@click.pass_obj
def command(
    settings: Settings,
    hosts: tuple[str, ...],
    names: tuple[str, ...],
    programs: tuple[str, ...],
    pattern: str | None,
    severity: Severity,
    since_ms: int | None,
    until_ms: int | None,
    limit: int | None,
    follow: bool,
    journal: bool,
    as_json: bool,
) -> None:
    """Show log lines that were pulled from the hosts, the newest last.

    Times are the lines' own, by the hosts' clocks, shown in UTC. A log that cannot be read, or of which there is more
    to fetch, is told first, on stderr. --grep looks at the first 4,096 characters of a line, and gives up when a page
    of 2,000 lines takes it 5 s.

    \b
    Examples:
      poller logs --since 1h
      poller logs --host web1 --log auth --grep 'Failed password'
      poller logs --severity high --follow
      poller logs --program sshd --since 2026-01-31T10:00 --until 2026-01-31T11:00 --json
    """
    from poller.clock import now_ms
    from poller.errors import UsageError
    from poller.store.loglines import LineFilter
    from poller.store.timeline import newest_polls

    if follow and until_ms is not None:
        raise UsageError("--follow has no end, --until is one", "give one of them")
    grep = Grep(pattern) if pattern is not None else None
    where = past.source(settings, journal=journal or follow)
    wanted = LineFilter(past.some_hosts(settings, where, hosts), names, programs, severity)
    printer = _Printer(settings, as_json=as_json)
    _troubles(settings, where, wanted, printer)
    polled = newest_polls(settings.config.journal) if follow else {}
    # A host's clock may be ahead: without --until its lines of the next hours are shown, too.
    _show(where, wanted, grep, since_ms, now_ms() + 86_400_000 if until_ms is None else until_ms, limit, printer)
    if follow:
        for line, spans in _following(settings.config.journal, wanted, grep, polled):
            printer.print(line, spans)
    elif not printer.count:
        _nothing(settings, where, names)


def _troubles(settings: Settings, where: Path | ArchiveSettings, wanted: LineFilter, printer: _Printer) -> None:
    from poller.store.loglines import troubled

    for state in troubled(where, wanted):
        printer.tell(state)


def _show(
    where: Path | ArchiveSettings,
    wanted: LineFilter,
    grep: Grep | None,
    since_ms: int | None,
    until_ms: int,
    limit: int | None,
    printer: _Printer,
) -> None:
    from poller.store.loglines import lines

    if limit is None and since_ms is not None:
        for page in lines(where, wanted, since_ms, until_ms):
            for line, spans in _matching(page, grep):
                printer.print(line, spans)
        return
    most = limit or past.USUAL
    found: list[tuple[StoredLine, Spans]] = []
    for page in lines(where, wanted, since_ms or 0, until_ms, newest_first=True):
        found += _matching(page, grep)
        if len(found) > most:
            printer.warn(f"older ones are left out: --limit {most}")
            break
    for line, spans in reversed(found[:most]):
        printer.print(line, spans)


def _matching(page: list[StoredLine], grep: Grep | None) -> list[tuple[StoredLine, Spans]]:
    if grep is None:
        return [(line, ()) for line in page]
    with bounded():
        return [(line, spans) for line in page if (spans := grep.spans(line.message)) is not None]


def _following(
    journal: Path, wanted: LineFilter, grep: Grep | None, polled: dict[int, int]
) -> Iterator[tuple[StoredLine, Spans]]:
    """What comes after the polls in `polled` (host -> instant). Lines are stored in their poll's transaction."""
    from poller.store.loglines import lines_after
    from poller.store.timeline import newest_polls

    for _ in past.ticks():
        now = newest_polls(journal)
        for host_id, at_ms in now.items():
            before = polled.get(host_id, 0)
            if at_ms != before:
                # A clock that was set back makes the newest poll an older one than that before it.
                page = lines_after(journal, wanted, host_id, min(before, at_ms - 1), at_ms)
                yield from _matching(page, grep)
        polled = now


def _nothing(settings: Settings, where: Path | ArchiveSettings, names: tuple[str, ...]) -> None:
    from poller.store.loglines import log_names

    known = log_names(where)
    if not known:
        settings.err.print(
            "poller: no log was ever read\n    name some with <log> and <journal> in config.xml (docs/watching.md)",
            markup=False,
        )
        return
    settings.err.print("poller: no such lines", markup=False)
    for name in names:
        meant = difflib.get_close_matches(name, known, n=1)
        if meant and meant[0] != name:
            settings.err.print(f"    did you mean --log {meant[0]}?", markup=False)


def document(line: StoredLine) -> dict[str, Any]:
    return {name: value for name, value in asdict(line).items() if name not in ("host_id", "number")}


def text_of(line: StoredLine, spans: Spans = ()) -> Text:
    """One line, inert, with what was looked for marked."""
    from poller.cli.foreign import one_line
    from poller.cli.instant import shown

    program = one_line(line.program) + (f"[{line.pid}]" if line.pid is not None else "")
    text = Text(f"{shown(line.at_ms)} {one_line(line.host)} ")
    text.append(f"{program or one_line(line.log)}: ", style="bold")
    place = 0
    style = _STYLES.get(line.severity, "")
    for start, end in spans:
        text.append(one_line(line.message[place:start]), style=style)
        text.append(one_line(line.message[start:end]), style=_MATCH)
        place = end
    text.append(one_line(line.message[place:]), style=style)
    return text.append(f" ({line.repeats} times)") if line.repeats > 1 else text


def words(state: LogState) -> str:
    """`auth of web1: denied: ...`, in one line."""
    from poller.cli.foreign import one_line
    from poller.notify.wording import size

    name = f"{state.log or 'logs'} of {state.host}"
    where = f" ({state.path})" if state.path not in ("", "journal") else ""
    said = f"{state.state}: {state.reason}" if state.reason else state.state
    behind = f", {size(state.behind_bytes)} to fetch" if state.behind_bytes else ""
    lost = f", {size(state.lost_bytes)} lost unread" if state.lost_bytes else ""
    return one_line(f"{name}{where}: {said}{behind}{lost}")


class _Printer:
    """Lines to stdout: with colours on a terminal, elsewhere plain, or as JSON. Warnings to stderr."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self._settings = settings
        self._json = as_json
        self._terminal = sys.stdout.isatty()
        self.count = 0

    def print(self, line: StoredLine, spans: Spans) -> None:
        self.count += 1
        if self._json:
            click.echo(json.dumps(document(line)))
        elif self._terminal:
            self._settings.out.print(text_of(line, spans), soft_wrap=True)
        else:
            click.echo(text_of(line).plain)

    def tell(self, state: LogState) -> None:
        if self._json:
            click.echo(json.dumps(asdict(state)))
        else:
            self.warn(words(state))

    def warn(self, sentence: str) -> None:
        self._settings.err.print(f"poller: {sentence}", markup=False)

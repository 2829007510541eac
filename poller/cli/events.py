"""`poller events`: what happened, the newest last, as journalctl(1) shows a journal; and what happens now."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click
from rich.text import Text

from poller.cli import past
from poller.cli.firing import STYLES
from poller.cli.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from poller.model import ArchiveSettings, Severity
    from poller.store.timeline import EventFilter, Happening

# Other pollers may commit an event later than one that has a younger id.
_LATE_MS: Final = 120_000


@click.command("events")
@past.hosts_option
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only these; globs like 'usb_*' work, several times too."
)
@past.severity_option("events")
@past.since_option(None, "Only what is newer: 90s, 24h, 7d, 2026-01-31 (UTC).")
@past.until_option
@past.limit_option
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@past.journal_option
@click.option("--json", "as_json", is_flag=True, help="One object per line.")
@click.pass_obj
def command(
    settings: Settings,
    hosts: tuple[str, ...],
    kinds: tuple[str, ...],
    severity: Severity,
    since_ms: int | None,
    until_ms: int | None,
    limit: int | None,
    follow: bool,
    journal: bool,
    as_json: bool,
) -> None:
    """Show what happened, the newest last: sticks, mounts, logins, reboots, failures.

    The poller's own events stand under the host `poller`. Times are UTC. docs/watching.md says what is seen and how.

    \b
    Kinds:
      usb_attached usb_removed device_attached device_removed
      mounted unmounted remounted
      listener_new listener_gone encounter
      login logout
      unit_failed unit_recovered
      raid_changed io_error filesystem_error memory_error
      oom_kill link_down link_up
      first_seen rebooted back clock_skew security network gap

    \b
    Examples:
      poller events
      poller events --follow --severity medium
      poller events --host 'lab*' --kind 'usb_*' --since 7d
      poller events --since 2026-01-31T10:00 --until 2026-01-31T11:00 --json
    """
    from poller.clock import now_ms
    from poller.errors import UsageError
    from poller.store.timeline import EventFilter

    if follow and until_ms is not None:
        raise UsageError("--follow has no end, --until is one", "give one of them")
    where = past.source(settings, journal=journal or follow)
    wanted = EventFilter(past.some_hosts(settings, where, hosts), kinds, severity)
    printer = _Printer(settings, as_json=as_json)
    started_ms = now_ms()
    before = _noted(settings.config.journal, wanted, started_ms) if follow else set()
    shown = _show(settings, where, wanted, since_ms, started_ms if until_ms is None else until_ms, limit, printer)
    if follow:
        for one in _following(settings.config.journal, wanted, started_ms, before | shown):
            printer.print(one)
    elif not printer.count:
        _nothing(settings, where, kinds)


def _show(
    settings: Settings,
    where: Path | ArchiveSettings,
    wanted: EventFilter,
    since_ms: int | None,
    until_ms: int,
    limit: int | None,
    printer: _Printer,
) -> set[str]:
    """Prints what is there already; returns the ids of the newest, which must not be shown again."""
    from poller.store.timeline import events

    newest: set[str] = set()
    if limit is None and since_ms is not None:
        found: Iterator[Happening] = events(where, wanted, since_ms, until_ms)
    else:
        most = limit or past.USUAL
        backwards = list(islice(events(where, wanted, since_ms or 0, until_ms, newest_first=True), most + 1))
        if len(backwards) > most:
            settings.err.print(f"poller: older ones are left out: --limit {most}", markup=False)
        found = reversed(backwards[:most])
    for one in found:
        printer.print(one)
        newest.add(one.id)
    return newest


def _noted(journal: Path, wanted: EventFilter, now: int) -> set[str]:
    """Events that were there when following began, as far back as a late one may come."""
    from poller.store.timeline import events_after, floor_id

    return {one.id for one in events_after(journal, wanted, floor_id(now - _LATE_MS))}


def _following(journal: Path, wanted: EventFilter, looked_ms: int, seen: set[str]) -> Iterator[Happening]:
    """Events noted from now on. A short look once a second; none is shown twice or left out."""
    from poller.clock import now_ms
    from poller.store.timeline import events_after, floor_id

    for _ in past.ticks():
        floor = floor_id(min(looked_ms, now_ms()) - _LATE_MS)
        looked_ms = now_ms()
        found = events_after(journal, wanted, floor)
        yield from (one for one in found if one.id not in seen)
        # Twice as far back: what was forgotten can not be found again by a look that begins a moment earlier.
        seen = {one for one in seen if one > floor_id(looked_ms - 2 * _LATE_MS)} | {one.id for one in found}


def _nothing(settings: Settings, where: Path | ArchiveSettings, kinds: tuple[str, ...]) -> None:
    from poller.model import EVENT_KINDS
    from poller.store.timeline import event_kinds

    settings.err.print("poller: no such events", markup=False)
    known = dict.fromkeys((*EVENT_KINDS, *event_kinds(where))) if kinds else {}
    for kind in kinds:
        if not any(fnmatchcase(one, kind) for one in known):
            meant = difflib.get_close_matches(kind, known, n=1)
            hint = f"did you mean --kind {meant[0]}?" if meant else f"no event is a {kind!r}: --help lists the kinds"
            settings.err.print(f"    {hint}", markup=False)


def document(one: Happening) -> dict[str, Any]:
    return {"id": one.id, "at_ms": one.at_ms, "host": one.host, "kind": one.kind, "severity": one.severity,
            "details": one.details}  # fmt: skip


def line(one: Happening) -> Text:
    """One event on one line, inert."""
    from poller.cli.foreign import one_line
    from poller.cli.instant import shown

    style = STYLES.get(one.severity, "")
    text = Text(f"{shown(one.at_ms)} {one_line(one.host)} ")
    text.append(one_line(one.kind), style=style or "bold")
    text.append(f" {one_line(one.details)}", style=style)
    return text


class _Printer:
    """To a terminal with colours, elsewhere plain; counts what it printed."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self._settings = settings
        self._json = as_json
        self._terminal = sys.stdout.isatty()
        self.count = 0

    def print(self, one: Happening) -> None:
        self.count += 1
        if self._json:
            click.echo(json.dumps(document(one)))
        elif self._terminal:
            self._settings.out.print(line(one), soft_wrap=True)
        else:
            click.echo(line(one).plain)

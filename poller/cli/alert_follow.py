"""Follows the alerts: a line for each change, as long as somebody reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Final

import click

from poller.cli import past
from poller.cli.alert_choice import Wanted
from poller.cli.alert_list import Row, document, line, rows
from poller.cli.alert_state import scene
from poller.cli.settings import Settings

# An alert may end between two looks, and another poller may commit late.
_LATE_MS: Final = 120_000


def follow_alerts(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """First what is open, then each change: it opens, gets worse or better, is acknowledged, ends."""
    for row, at_ms in _changes(settings, wanted):
        if as_json:
            click.echo(json.dumps({"now_ms": at_ms, **document(row)}, allow_nan=False))
        elif sys.stdout.isatty():
            settings.out.print(line(row, at_ms), soft_wrap=True)
        else:
            click.echo(line(row, at_ms).plain)


def _changes(settings: Settings, wanted: Wanted) -> Iterator[tuple[Row, int]]:
    from poller.clock import now_ms

    begun = now_ms()
    looked, known = _look(settings, wanted, begun)
    shown = {row.status.alert.id: _signature(row) for row in known}
    first = known if wanted.everything else [row for row in known if row.status.alert.closed_ms is None]
    yield from ((row, row.status.alert.opened_ms) for row in sorted(first, key=lambda one: one.status.alert.opened_ms))
    for _ in past.ticks():
        looked, found = _look(settings, wanted, min(looked, now_ms()))
        for row in sorted(found, key=lambda one: one.status.alert.updated_ms):
            if shown.get(row.status.alert.id) != _signature(row):
                yield row, looked
        shown = {row.status.alert.id: _signature(row) for row in found}


def _look(settings: Settings, wanted: Wanted, looked_ms: int) -> tuple[int, list[Row]]:
    """Everything that is open, and what ended lately."""
    from poller.clock import now_ms
    from poller.store import alerting

    now = now_ms()
    found = alerting.alerts(settings.config.journal, since_ms=looked_ms - _LATE_MS, everything=True)
    return now, rows(settings, [one for one in found if wanted.fits(one)], scene(settings, now))


def _signature(row: Row) -> tuple[str, ...]:
    """What must differ for a new line. Not the value, which is another one with each poll."""
    words = (f"{one.word} {one.words}" for one in row.conditions if one.word != "untold")
    return (str(row.status.alert.severity), *words)

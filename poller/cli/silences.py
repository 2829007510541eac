"""Silences for people and as JSON: what they keep quiet, until when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from poller.cli.foreign import one_line
from poller.cli.ids import short
from poller.cli.instant import shown
from poller.cli.table import plain_table
from poller.model import POLLER

if TYPE_CHECKING:
    from poller.cli.layout import PlainTable
    from poller.model import Config, Silence
    from poller.store.alerting import AlertStatus


def state(silence: Silence, now: int) -> str:
    """`in force`, `to come`, `over`, or `lifted by NAME`."""
    if silence.ended_ms is not None:
        return f"lifted by {silence.ended_by}" if silence.ended_by else "lifted"
    if silence.until_ms <= now:
        return "over"
    return "to come" if silence.from_ms > now else "in force"


def what(silence: Silence) -> str:
    """What it is about: `host lab* metric disk.percent`."""
    parts = (("host", silence.host), ("metric", silence.metric), ("label", silence.label))
    return one_line(" ".join(f"{noun} {glob}" for noun, glob in parts if glob != "*") or "everything")


def hosts(config: Config, silence: Silence) -> list[str]:
    """Names of config.xml that it fits; the poller itself only when it is named."""
    names = [host.name for host in config.hosts] + [POLLER] * (silence.host == POLLER)
    return [name for name in names if fnmatchcase(name, silence.host)]


def fitting(alerts: Iterable[AlertStatus], silence: Silence) -> list[AlertStatus]:
    """The alerts that it fits."""
    from poller.notify.block import silenced

    return [one for one in alerts if silenced(one.alert, silence)]


def table(found: Sequence[Silence], now: int) -> PlainTable:
    made = plain_table("ID", "STATE", "UNTIL", "OF WHAT", "BY", "WHY")
    for one in found:
        until = f"{shown(one.until_ms)}"
        if one.from_ms > now:
            until = f"{shown(one.from_ms)} - {until}"
        made.add_row(
            short(one.id), one_line(state(one, now)), until, what(one), one_line(one.author), one_line(one.comment)
        )
    return made


def document(one: Silence, now: int) -> dict[str, Any]:
    """The stable JSON form."""
    return {
        "id": one.id, "short_id": short(one.id), "state": state(one, now).partition(" by ")[0], "host": one.host,
        "metric": one.metric, "label": one.label, "from_ms": one.from_ms, "until_ms": one.until_ms,
        "at_ms": one.at_ms, "author": one.author, "comment": one.comment, "ended_ms": one.ended_ms,
        "ended_by": one.ended_by or None,
    }  # fmt: skip

"""Channels, contacts, downtimes, delivery and heartbeat for `poller config show`; and whom a host's alerts reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from poller.model import ChannelSettings, Config, Contact, Downtime, Host, Hours
from poller.model.alerting import DAYS

if TYPE_CHECKING:
    from poller.cli.layout import PlainTable


def document(config: Config) -> dict[str, Any]:
    """The stable JSON form. Secrets by their reference; a channel's command by its program alone."""
    beat = config.heartbeat
    return {
        "channels": [_channel(one) for one in config.channels],
        "contacts": [_contact(one) for one in config.contacts],
        "delivery": {"wait": config.group_wait, "interval": config.group_interval},
        "downtimes": [_downtime(one) for one in config.downtimes],
        "heartbeat": None if beat is None else {"url": str(beat.url or beat.address), "timeout": beat.timeout},
    }


def rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Element, name, and what it says."""
    from poller.rules.figure import span

    delivery, beat = found["delivery"], found["heartbeat"]
    return [
        *(("channel", one["name"], _joined(one, ("kind", "to", "quota"))) for one in found["channels"]),
        *(("contact", one["name"], _joined(one, _CONTACT)) for one in found["contacts"]),
        ("delivery", "wait", span(delivery["wait"])),
        ("delivery", "interval", span(delivery["interval"])),
        *(("downtime", one["name"], _joined(one, ("when", *_WHERE, "comment"))) for one in found["downtimes"]),
        *([("heartbeat", "url", beat["url"])] if beat else []),
    ]


_CONTACT = ("mail", "severities", "channels", "groups", "hours")
_WHERE = ("hosts", "groups", "tags")
# What says for itself what it is.
_BARE = ("kind", "to", "mail", "severities", "when", "hours")


def _joined(one: dict[str, Any], names: tuple[str, ...]) -> str:
    parts = []
    for name in names:
        value = one[name]
        shown = " ".join(value) if isinstance(value, list) else str(value or "")
        if shown and not (name == "channels" and value == ["mail"]):
            parts.append(shown if name in _BARE else f"{name}={shown}")
    return " ".join(parts)


def _channel(one: ChannelSettings) -> dict[str, Any]:
    to = one.command[0] if one.command else str(one.url or one.address)
    secret = None if one.secret is None else str(one.secret)
    return {"name": one.name, "kind": one.kind, "to": to, "secret": secret, "timeout": one.timeout,
            "quota": one.quota or None, "where": one.where}  # fmt: skip


def _contact(one: Contact) -> dict[str, Any]:
    return {
        "name": one.name,
        "mail": one.mail,
        "severities": sorted(str(severity) for severity in one.severities),
        "channels": list(one.channels),
        "groups": sorted(one.groups),
        "hours": [weekly(hours) for hours in one.hours],
    }


def _downtime(one: Downtime) -> dict[str, Any]:
    return {
        "name": one.name,
        "when": weekly(one.hours) if one.hours else f"{_moment(one.from_ms)} to {_moment(one.until_ms)}",
        "hosts": list(one.hosts),
        "groups": list(one.groups),
        "tags": list(one.tags),
        "comment": one.comment,
        "where": one.where,
    }


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M UTC")


def weekly(hours: Hours) -> str:
    """`mon tue 08:00-18:00 Europe/Berlin`."""
    days = "daily" if len(hours.days) == 7 else " ".join(DAYS[day] for day in sorted(hours.days))
    return f"{days} {_clock(hours.begin)}-{_clock(hours.end)} {hours.zone}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True, slots=True)
class Reached:
    """One contact and one of its channels, in the order in which they are tried."""

    contact: str
    channel: str
    to: str
    where: str


def reached(config: Config, host: Host) -> list[Reached]:
    """Everybody whom a limit or a rule of the host names, at once or later."""
    names = {
        name: None
        for judged in host.judged
        for name in (*judged.notify, *(name for one in judged.escalations for name in one.notify))
    }
    return [way for name in names for way in _ways(config, name)]


def _ways(config: Config, name: str) -> Iterable[Reached]:
    contact = config.contact(name)
    for way in contact.channels if contact else ():
        channel = config.channel(way)
        to = (contact.mail if contact else "") if channel is None else channel.kind
        yield Reached(name, way, to, "-" if channel is None else channel.where)


def reached_document(one: Reached) -> dict[str, Any]:
    return {"contact": one.contact, "channel": one.channel, "to": one.to, "where": one.where}


def reached_table(found: Iterable[Reached]) -> PlainTable:
    """The same for people."""
    from poller.cli.table import cell, plain_table

    rows = plain_table("TOLD", "CHANNEL", "TO", "SET BY")
    for one in found:
        rows.add_row(*(cell(each) for each in (one.contact, one.channel, one.to, one.where)))
    return rows

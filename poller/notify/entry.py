"""One notification in words for people: each text on one line and harmless; "" where there is nothing to say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from poller.errors import OUTCOMES
from poller.metrics import OWN
from poller.model import POLLER, ChangeKind, Notification
from poller.notify.plain import plain
from poller.notify.subject import again, is_flag, name, over, tag, what
from poller.notify.wording import duration, limit, moment, quantity, unit_of

# Commands for more hosts than this would bury the rest; `poller status` shows them all.
_COMMANDS: Final = 5
# Of forty alerts, each three times these in UTF-8 and again in HTML, a mail server still takes the mail.
_HOST, _LONG = 100, 400
_ID: Final = 8
# A reason that is the value and its limit, which stand above it: see `poller.alerts.reason.breached`.
_REPEATS: Final = re.compile(r"[-+.0-9e]+ [<>] [-+.0-9e]+(?: for [0-9][ 0-9a-z.]*)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """`tag` is how bad it is now, `severity` how bad it was; `line` says all of it in short.

    `again` is why it is told although nothing changed. `commands` are what to run: what is written about the cause,
    and what the host says of itself.
    """

    tag: str
    kind: str
    severity: str
    host: str
    name: str
    line: str
    value: str
    limit: str
    since: str
    lasted: str
    again: str
    why: str
    alert: str
    number: int
    commands: tuple[str, ...]


def entry(notification: Notification) -> Entry:
    """`notification` as people read it."""
    alert, ended = notification.alert, over(notification)
    unit, flag = unit_of(alert.metric), is_flag(alert)
    repeats = _REPEATS.fullmatch(alert.reason) is not None and not flag
    known = "" if repeats or (flag and notification.kind is ChangeKind.CLOSED) else plain(alert.reason, _LONG)
    return Entry(
        tag=tag(notification),
        kind=notification.kind.value,
        severity=alert.severity.name,
        host=plain(alert.host, _HOST),
        name=name(alert),
        line=what(notification),
        # "yes, more than no" and "back to 0, at 0" tell nobody anything
        value="" if flag else quantity(alert.value, unit) + (" %" if unit == "percent" else ""),
        limit="" if flag and unit else plain(limit(alert.limit, unit), _LONG),
        since=moment(alert.since_ms),
        lasted=_lasted(notification) if ended else "",
        again=again(notification),
        why=known,
        alert=plain(alert.id, 64),
        number=notification.number,
        commands=commands((notification,)),
    )


def commands(notifications: Sequence[Notification]) -> tuple[str, ...]:
    """What to run to know more of these, each safe to paste; few, however many they are."""
    topics = list(dict.fromkeys(topic for topic in map(_topic, notifications) if topic))
    hosts = list(dict.fromkeys(one.alert.host for one in notifications if one.alert.host != POLLER))
    explained = [f"poller explain {topic}" for topic in topics[:_COMMANDS]]
    looked = [f"poller metrics --host {shlex.quote(plain(host, _HOST))}" for host in hosts[:_COMMANDS]]
    return (*explained, *looked, *_acknowledged(notifications))


def _acknowledged(notifications: Sequence[Notification]) -> Iterator[str]:
    """How to say that somebody takes care, where that is one alert. The end of an id is enough."""
    open_ids = {one.alert.id for one in notifications} - {one.alert.id for one in notifications if over(one)}
    if len(open_ids) == 1:
        yield f"poller ack {shlex.quote(plain(open_ids.pop()[-_ID:]))} --comment 'on it'"


def _lasted(notification: Notification) -> str:
    alert = notification.alert
    ended_ms = alert.closed_ms if alert.closed_ms is not None else notification.at_ms
    return f"{duration((ended_ms - alert.since_ms) / 1000)}, until {moment(ended_ms)}"


def _topic(notification: Notification) -> str:
    """What `poller explain` can say about it: the poller's own trouble, or the outcome that a reason begins with."""
    alert = notification.alert
    if over(notification):
        return ""
    if alert.metric.startswith(OWN):
        return alert.metric
    stage, _, code = alert.reason.partition(":")[0].partition("/")
    return f"{stage}/{code}" if (stage, code) in OUTCOMES else ""

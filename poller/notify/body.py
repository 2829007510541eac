"""The text of a mail: everything that opened, rose, fell or closed, in the order in which it happened."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from poller.errors import OUTCOMES
from poller.metrics import OWN
from poller.model import POLLER, ChangeKind, Notification
from poller.notify.plain import plain
from poller.notify.subject import name
from poller.notify.wording import duration, limit, moment, quantity, unit_of

_ENDED: Final = (ChangeKind.CLOSED, ChangeKind.UNCONFIGURED)
_SUMMARY: Final = {
    ChangeKind.OPENED: "opened",
    ChangeKind.ROSE: "rose",
    ChangeKind.FELL: "fell",
    ChangeKind.CLOSED: "closed",
    ChangeKind.UNCONFIGURED: "closed because no longer configured",
}
# Commands for more hosts than this would bury the rest; `poller status` shows them all.
_COMMANDS: Final = 5


def text(notifications: Sequence[Notification]) -> str:
    """Plain text, lines ended by LF, foreign text escaped."""
    lines = [_summary(notifications), ""]
    for one in notifications:
        lines += [*_entry(one), ""]
    lines += [*_look(notifications), ""]
    return "\n".join(lines)


def _summary(notifications: Sequence[Notification]) -> str:
    counts = Counter(one.kind for one in notifications)
    parts = [f"{counts[kind]} {verb}" for kind, verb in _SUMMARY.items() if counts[kind]]
    return "Alerts: " + ", ".join(parts) + "."


def _entry(notification: Notification) -> Iterator[str]:
    alert = notification.alert
    unit = unit_of(alert.metric)
    yield f"{notification.kind.value.upper()} [{alert.severity.name}] {plain(alert.host)}: {name(alert)}"
    flag, ended = unit == "0 or 1", notification.kind in _ENDED
    if not flag:  # "yes, more than no" and "back to 0, at 0" tell nobody anything
        yield f"    value   {quantity(alert.value, unit)}{_suffix(unit)}"
        yield f"    limit   {limit(alert.limit, unit)}"
    yield f"    since   {moment(alert.since_ms)}"
    if ended:
        yield f"    lasted  {_lasted(notification)}"
    if alert.reason and not (flag and notification.kind is ChangeKind.CLOSED):
        yield f"    why     {plain(alert.reason)}"
    yield f"    alert   {plain(alert.id, 64)}, message {notification.number}"


def _suffix(unit: str) -> str:
    return " %" if unit == "percent" else ""


def _lasted(notification: Notification) -> str:
    alert = notification.alert
    ended_ms = alert.closed_ms if alert.closed_ms is not None else notification.at_ms
    return f"{duration((ended_ms - alert.since_ms) / 1000)}, until {moment(ended_ms)}"


def _look(notifications: Sequence[Notification]) -> Iterator[str]:
    yield "To look:"
    yield "    poller status"
    topics = list(dict.fromkeys(topic for topic in map(_topic, notifications) if topic))
    for topic in topics[:_COMMANDS]:
        yield f"    poller explain {topic}"
    hosts = list(dict.fromkeys(one.alert.host for one in notifications if one.alert.host != POLLER))
    for host in hosts[:_COMMANDS]:
        yield f"    poller metrics --host {shlex.quote(plain(host))}"


def _topic(notification: Notification) -> str:
    """What `poller explain` can say about it: the poller's own trouble, or the outcome that a reason begins with."""
    alert = notification.alert
    if notification.kind in _ENDED:
        return ""
    if alert.metric.startswith(OWN):
        return alert.metric
    stage, _, code = alert.reason.partition(":")[0].partition("/")
    return f"{stage}/{code}" if (stage, code) in OUTCOMES else ""

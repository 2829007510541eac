"""One line that says what happened: `[HIGH] web1: cpu.percent 97 > 90 for 5m`, `[2 HIGH 1 OK] 3 hosts: ...`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from poller.metrics import OWN
from poller.model import Alert, ChangeKind, MetricValue, Notification
from poller.notify.plain import plain
from poller.notify.wording import limit, quantity, unit_of

# Mail programs show about this much; the rest is in the body.
_LENGTH: Final = 160
_ENDED: Final = {ChangeKind.CLOSED: "OK", ChangeKind.UNCONFIGURED: "CLOSED"}


def subject(notifications: Sequence[Notification]) -> str:
    """Says how things stand: an alert that opened and closed within one mail counts as closed."""
    latest = list({one.alert.id: one for one in notifications}.values())
    latest.sort(key=lambda one: (one.kind in _ENDED, -one.alert.severity))
    if len(latest) == 1:
        return plain(f"[{tag(latest[0])}] {plain(latest[0].alert.host)}: {_what(latest[0])}", _LENGTH)
    counts = Counter(tag(one) for one in latest)
    tags = " ".join(f"{count} {name}" for name, count in counts.items())
    hosts = list(dict.fromkeys(one.alert.host for one in latest))
    where = plain(hosts[0]) if len(hosts) == 1 else f"{len(hosts)} hosts"
    items = ", ".join(_item(one.alert, named=len(hosts) > 1) for one in latest)
    return plain(f"[{tags}] {where}: {items}", _LENGTH)


def tag(notification: Notification) -> str:
    """How bad it is now: LOW, MEDIUM, HIGH while open, OK when over, CLOSED when nobody watches it any more."""
    return _ENDED.get(notification.kind, notification.alert.severity.name)


def name(alert: Alert) -> str:
    """The metric with its labels."""
    return plain(str(MetricValue(alert.metric, alert.value, alert.labels)))


def _what(notification: Notification) -> str:
    alert, unit = notification.alert, unit_of(notification.alert.metric)
    flag = unit == "0 or 1"
    if notification.kind is ChangeKind.CLOSED:
        return f"{name(alert)} is over" if flag else f"{name(alert)} back to {quantity(alert.value, unit)}"
    if notification.kind is ChangeKind.UNCONFIGURED:
        return f"{name(alert)} is no longer watched"
    moved = {ChangeKind.ROSE: " (rose)", ChangeKind.FELL: " (fell)"}.get(notification.kind, "")
    if _speaks(alert) and notification.kind is not ChangeKind.FELL:
        return alert.reason
    bound = limit(alert.limit, unit)
    if flag:
        _, held, how_long = bound.partition(" for ")
        return name(alert) + held + how_long + moved
    return f"{name(alert)} {quantity(alert.value, unit)} {bound}{moved}"


def _speaks(alert: Alert) -> bool:
    """Whether its reason says it all: the poller's own numbers say little by themselves, and a 1 even less."""
    return bool(alert.reason) and alert.metric.startswith((OWN, "host.security"))


def _item(alert: Alert, *, named: bool) -> str:
    return f"{plain(alert.host)} {name(alert)}" if named and not alert.metric.startswith(OWN) else name(alert)

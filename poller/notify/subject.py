"""One line that says what happened: `[HIGH] web1: cpu.percent 97 > 90 for 5m`, `[2 HIGH 1 OK] 3 hosts: ...`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from poller.alerts.reason import GONE
from poller.metrics import CATALOGUE, OWN
from poller.model import Alert, ChangeKind, Letter, MetricValue, Notification
from poller.notify.plain import plain
from poller.notify.wording import duration, limit, quantity, split, unit_of

# Mail programs show about this much; the rest is in the body.
_LENGTH: Final = 160
# A mount point may have 4096 characters (limits.h, PATH_MAX); nobody reads them here.
_NAME: Final = 250
_ENDED: Final = {ChangeKind.CLOSED: "OK", ChangeKind.UNCONFIGURED: "CLOSED"}
_OFTEN: Final = re.compile(r"flapping, (\d+) changes in (\d+) polls")
_MOVED: Final = {ChangeKind.ROSE: " (rose)", ChangeKind.FELL: " (fell)"}


def headline(letter: Letter) -> str:
    """The subject of a whole message. A digest says that it is one, since much of it is long over."""
    line = subject(letter.notifications)
    return plain(f"[DIGEST: {line[1:]}", _LENGTH) if letter.digest else line


def subject(notifications: Sequence[Notification]) -> str:
    """Says how things stand: an alert that opened and closed within one mail counts as closed."""
    now = latest(notifications)
    if len(now) == 1:
        return plain(f"[{tag(now[0])}] {plain(now[0].alert.host)}: {what(now[0])}", _LENGTH)
    hosts = list(dict.fromkeys(one.alert.host for one in now))
    where = plain(hosts[0]) if len(hosts) == 1 else f"{len(hosts)} hosts"
    items = ", ".join(_item(one.alert, named=len(hosts) > 1) for one in now)
    return plain(f"[{counts(notifications)}] {where}: {items}", _LENGTH)


def latest(notifications: Sequence[Notification]) -> list[Notification]:
    """The newest of each alert, the worst first and what is over last."""
    newest = {one.alert.id: one for one in notifications}.values()
    return sorted(newest, key=lambda one: (over(one), -one.alert.severity))


def counts(notifications: Sequence[Notification]) -> str:
    """How many alerts stand how: `2 HIGH 3 MEDIUM 1 OK`."""
    return " ".join(f"{count} {name}" for name, count in Counter(map(tag, latest(notifications))).items())


def tag(notification: Notification) -> str:
    """How bad it is now: LOW, MEDIUM, HIGH while open, OK when over, CLOSED when nobody watches it any more."""
    if notification.kind not in _ENDED and over(notification):
        return "OK"
    return _ENDED.get(notification.kind, notification.alert.severity.name)


def over(notification: Notification) -> bool:
    """Whether it tells of the end. An alert that calms down may have ended while it flapped."""
    calm = notification.kind is ChangeKind.STEADY and notification.alert.closed_ms is not None
    return calm or notification.kind in _ENDED


def name(alert: Alert) -> str:
    """The metric with its labels, or the rule with those of what it found."""
    return plain(str(MetricValue(alert.metric, alert.value, alert.labels)), _NAME)


def what(notification: Notification) -> str:
    """What happened, without the host: `cpu.percent 97 > 90, still so after 4h`."""
    alert, kind = notification.alert, notification.kind
    if kind is ChangeKind.UNCONFIGURED:
        return f"{name(alert)} is no longer watched"
    if kind is ChangeKind.FLAPPING:
        return _flaps(alert)
    if over(notification):
        return ("no longer flaps: " if kind is ChangeKind.STEADY else "") + _over(alert)
    if again(notification):
        return f"{_holds(alert, hold=False)}, {again(notification)}"
    if kind is ChangeKind.STEADY:
        return f"no longer flaps: {_holds(alert, hold=False)}"
    if _speaks(alert) and kind is not ChangeKind.FELL:
        return plain(alert.reason)
    return _holds(alert, hold=True) + _MOVED.get(kind, "")


def again(notification: Notification) -> str:
    """Why it is told although nothing changed: `still so after 4h`; "" when something did."""
    alert, kind = notification.alert, notification.kind
    if kind is ChangeKind.REMINDER:
        return f"still so after {duration((notification.at_ms - alert.since_ms) / 1000)}"
    if kind is ChangeKind.ESCALATED:
        return f"nobody has taken care for {duration((notification.at_ms - alert.opened_ms) / 1000)}"
    return ""


def is_flag(alert: Alert) -> bool:
    """Whether its value says nothing: a metric that is yes or no, or a rule, which has no unit and no limit."""
    return alert.metric not in CATALOGUE or unit_of(alert.metric) == "0 or 1"


def _flaps(alert: Alert) -> str:
    """The reason of such a change says how often, see `poller.alerts.reason`."""
    often = _OFTEN.match(alert.reason)
    return f"{name(alert)} flaps" + (f": {often[1]} of the last {often[2]} polls changed" if often else "")


def _over(alert: Alert) -> str:
    if is_flag(alert):
        return f"{name(alert)} is over"
    if alert.reason.endswith(GONE):
        return f"{name(alert)} is {GONE}"
    return f"{name(alert)} back to {quantity(alert.value, unit_of(alert.metric))}"


def _holds(alert: Alert, *, hold: bool) -> str:
    """What is the case, and for how long it must be where `hold` asks for that."""
    unit = unit_of(alert.metric)
    bound, lasting = split(limit(alert.limit, unit))
    if alert.metric not in CATALOGUE:
        # Its reason begins with what it saw and goes on with the rule itself.
        return f"{name(alert)}: {plain(alert.reason).partition(f': {bound}')[0] or bound}"
    lasting = f" {lasting}" if hold and lasting else ""
    if unit == "0 or 1":
        return name(alert) + lasting
    comma = "," if bound.startswith("reaches") else ""
    return f"{name(alert)} {quantity(alert.value, unit)}{comma} {bound}{lasting}"


def _speaks(alert: Alert) -> bool:
    """Whether its reason says it all: the poller's own numbers say little by themselves, and a 1 even less."""
    return bool(alert.reason) and alert.metric.startswith((OWN, "host.security"))


def _item(alert: Alert, *, named: bool) -> str:
    return f"{plain(alert.host)} {name(alert)}" if named and not alert.metric.startswith(OWN) else name(alert)

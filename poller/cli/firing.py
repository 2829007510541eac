"""An alert in a few words, the same wherever it is shown: `disk.percent{/var} 91 > 85 for 5m`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from poller.metrics import CATALOGUE, OWN
from poller.model import Severity

if TYPE_CHECKING:
    from poller.model import Alert

# How bad something is, on a terminal.
STYLES: Final = {"high": "bold red", "medium": "yellow"}


def name(metric: str, labels: Sequence[tuple[str, str]]) -> str:
    """The metric or rule with the values of its labels; foreign text as it is."""
    texts = ",".join(text for _, text in labels)
    return f"{metric}{{{texts}}}" if texts else metric


def breach(metric: str, value: float | None, limit: str) -> str:
    """As in the mails: `97 > 90 for 5m`, `93.6, reaches 100 within 24h`. Of a rule its text, which has numbers."""
    from poller.notify import wording

    unit = wording.unit_of(metric)
    said = wording.limit(limit, unit)
    bound, hold = wording.split(said)
    if unit == "0 or 1":  # "1 > 0 for 3 polls" says nothing but its end
        return hold
    if value is None or metric not in CATALOGUE:
        return said
    return f"{wording.quantity(value, unit)}{',' if bound.startswith('reaches') else ''} {said}"


def sentence(metric: str, labels: Sequence[tuple[str, str]], value: float | None, limit: str, reason: str) -> str:
    """An alert in one line: `disk.percent{/var} 91 > 85`; a rule with what it saw, the poller's own in its words."""
    who = name(metric, labels)
    said = breach(metric, value, limit)
    if metric.startswith((OWN, "host.security")):
        return reason or f"{who} {said}".rstrip()
    if metric not in CATALOGUE:
        return f"{who}: {reason.partition(f': {limit}')[0] or said}"
    return f"{who} {said}".rstrip()


def words(alert: Alert) -> str:
    """The same of an alert; the reason of one that has ended is about its end."""
    reason = alert.reason if alert.closed_ms is None else ""
    return sentence(alert.metric, alert.labels, alert.value, alert.limit, reason)


def told(alert: Alert) -> str:
    """`[high] cpu.percent 97 > 90`"""
    return f"[{alert.severity}] {words(alert)}"


def counts(severities: Sequence[str]) -> str:
    """`2 high, 1 medium`; "" without any."""
    words = (str(severity) for severity in sorted(Severity, reverse=True))
    return ", ".join(f"{severities.count(word)} {word}" for word in words if word in severities)

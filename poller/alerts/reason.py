"""Why an alert changed, as a sentence for people."""

from __future__ import annotations

from poller.metrics import CATALOGUE
from poller.model import Hold, Threshold
from poller.model.settings import spelled

GONE = "no longer there"
UNCONFIGURED = "no threshold in the configuration covers it any more"
LIMIT_REMOVED = "its limit is not in the configuration any more"


def breached(value: float | None, threshold: Threshold) -> str:
    """As "97.0 > 90 for 5m"."""
    parts = (number(value, threshold.metric), threshold.sign, spelled(threshold.limit), _hold(threshold.hold))
    return " ".join(part for part in parts if part)


def back(value: float | None, threshold: Threshold) -> str:
    """As "back to 41.0, under 75": the value, and the number it had to pass."""
    clear = threshold.limit if threshold.clear is None else threshold.clear
    side = "at" if value == clear else "under" if threshold.above is not None else "over"
    return f"back to {number(value, threshold.metric)}, {side} {spelled(clear)}"


def number(value: float | None, metric: str) -> str:
    """Base units; whole where the metric counts, else one decimal (more for small ones)."""
    if value is None:
        return "unknown"
    whole = CATALOGUE[metric].unit in ("count", "bytes", "0 or 1") and value == int(value)
    if whole:
        return str(int(value))
    return f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"


def _hold(hold: Hold) -> str:
    parts = []
    if hold.seconds:
        parts.append(f"for {duration(hold.seconds)}")
    if hold.polls > 1:
        parts.append(f"for {hold.polls} polls")
    return " and ".join(parts)


def duration(seconds: float) -> str:
    """As config.xml writes it: 90 -> "90s", 300 -> "5m"."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"

"""Numbers and limits as people say them: `512.0 MiB`, `2h 5m`, `> 90 for 5m`. The only place with human units here."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Final

from poller.metrics import CATALOGUE
from poller.notify.plain import plain

# What an alert holds as its limit: see `poller.alerts.reason` and `str(Hold)`. The text of a rule is none of these.
_BOUND: Final = re.compile(r"(?P<sign>[<>]|reaches) (?P<number>\S+)(?P<rest>| within \S+)")
_HOLD: Final = re.compile(r" for (?:[0-9.e+]+s|\d+ polls|(?: ?\d+[dhms])+)$")
_SECONDS: Final = re.compile(r"for ([0-9.e+]+)s")
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def unit_of(metric: str) -> str:
    """The base unit of a metric; "" when the catalogue no longer has it."""
    known = CATALOGUE.get(metric)
    return known.unit if known else ""


def quantity(value: float, unit: str) -> str:
    """A number in base units, for people. Percent stay bare: the metric's name says it."""
    if unit.startswith("bytes"):
        return size(value) + ("/s" if "per second" in unit else "")
    if unit == "seconds":
        return duration(value) if abs(value) >= 60 else f"{number(value)} s"
    if unit == "per second":
        return f"{number(value)}/s"
    if unit == "0 or 1":
        return "yes" if value else "no"
    return number(value)


def number(value: float) -> str:
    """At most one decimal where that is exact enough, three digits where not."""
    if value != value or abs(value) >= 1e15:
        return f"{value:g}"
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 10 or value == int(value) else f"{value:.3g}"


def size(value: float) -> str:
    """Bytes in binary units (IEC 80000-13)."""
    for prefix in ("B", "KiB", "MiB", "GiB", "TiB"):
        if round(abs(value), 1) < 1024:  # what would be written as 1024.0 KiB is 1.0 MiB
            return f"{value:.0f} B" if prefix == "B" else f"{value:.1f} {prefix}"
        value /= 1024
    return f"{value:.1f} PiB"


def duration(seconds: float) -> str:
    """The two largest units: `45s`, `5m`, `2h 5m`, `3d 4h`. A negative time (a stepped clock) counts as 0."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for name, length in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0s"


def moment(at_ms: int) -> str:
    """An instant in UTC, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def limit(text: str, unit: str) -> str:
    """A limit as the alert holds it (`> 1.07374e+09 for 300s`) with human units (`> 1.0 GiB for 5m`)."""
    bound, hold = split(text)
    match = _BOUND.fullmatch(bound)
    seconds = _SECONDS.fullmatch(hold)
    try:
        if match is not None:
            bound = f"{match['sign']} {quantity(float(match['number']), unit)}{match['rest']}"
        if seconds is not None:
            hold = f"for {duration(float(seconds[1]))}"
    except ValueError:
        return plain(text)
    return plain(" ".join(part for part in (bound, hold) if part))


def split(text: str) -> tuple[str, str]:
    """A limit and how long it must be passed: `> 90 for 5m` -> `> 90`, `for 5m`; the second may be empty."""
    match = _HOLD.search(text)
    return (text[: match.start()], match[0].strip()) if match else (text, "")

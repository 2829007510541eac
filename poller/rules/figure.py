"""Numbers as people read them: exact where a rule's text is printed, three digits where a value is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from poller.metrics import BYTES, SECONDS

_BINARY: Final = ("PiB", "TiB", "GiB", "MiB", "KiB")


def plain(value: float) -> str:
    """Exactly, without an exponent: it reads back as the same number."""
    if value == int(value):
        return str(int(value))
    text = repr(value)
    return text if "e" not in text else f"{Decimal(text):f}"


def span(seconds: float) -> str:
    """A time exactly, as short as may be: 5400 -> "90m"."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % SECONDS[unit] == 0:
            return f"{int(seconds / SECONDS[unit])}{unit}"
    return f"{plain(seconds)}s"


def literal(value: float, unit: str) -> str:
    """A number of a rule, exactly."""
    if unit == "percent":
        return f"{plain(value)}%"
    if unit == "seconds":
        return span(value)
    if unit == "per second":
        return f"{plain(value)}/s"
    if unit in ("bytes", "bytes per second"):
        name = next((name for name in _BINARY if value and value % BYTES[name] == 0), "B")
        return f"{plain(value / BYTES[name])}{name}{'/s' if unit != 'bytes' else ''}"
    return plain(value)


def figure(value: float, unit: str = "") -> str:
    """At most three digits that count, and a unit that suits the size: "97", "4.66 GiB", "1.5h"."""
    if unit in ("", "percent"):
        return digits(value)
    if unit in ("bytes", "bytes per second"):
        name = next((name for name in _BINARY if abs(value) >= BYTES[name]), "B")
        return f"{digits(value / BYTES[name])} {name}{'/s' if unit != 'bytes' else ''}"
    if unit == "seconds" and abs(value) >= 120:
        name = next(name for name in ("d", "h", "m") if abs(value) >= 2 * SECONDS[name])
        return f"{digits(value / SECONDS[name])}{name}"
    return f"{digits(value)}s" if unit == "seconds" else digits(value)


def digits(value: float) -> str:
    """Three of them; whole numbers below a million as they are."""
    if abs(value) < 1e6 and value == int(value):
        return str(int(value))
    text = f"{value:.3g}"
    return text if "e" not in text else f"{float(text):.0f}" if 1 <= abs(value) < 1e15 else text

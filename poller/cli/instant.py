"""Instants as people type them and read them: UTC, to the second."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def instant(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """An age (90s, 15m, 24h, 7d, 2w) or a date, with a time or without, UTC unless it says so: epoch milliseconds."""
    if value is None:
        return None
    now = datetime.now(timezone.utc)
    try:
        if value == "now":
            moment = now
        elif value[-1:] in _UNITS and value[:-1].isdecimal():
            moment = now - timedelta(seconds=int(value[:-1]) * _UNITS[value[-1]])
        else:
            moment = datetime.fromisoformat(value.removesuffix("Z"))
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{value!r} is neither an age like 24h or 7d nor a date like 2026-01-31 or 2026-01-31T08:00"
        ) from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() * 1000)


def shown(at_ms: float) -> str:
    """`2026-01-31 08:00:00`; the number itself where no calendar has that instant."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{at_ms:.0f} ms"

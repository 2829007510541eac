"""Times as people type them (how long ago, when, for how long, until when) and read them: UTC, to the second."""

from __future__ import annotations

from datetime import datetime, timezone

import click

# 300 years: what is longer may end where no calendar and no column reaches.
_LONGEST = 300 * 365 * 86400.0


def instant(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """An age (90s, 15m, 24h, 7d, 2w) or a date, with a time or without, UTC unless it says so: epoch milliseconds."""
    from poller.clock import now_ms

    if value is None:
        return None
    seconds_ago = _seconds(value)
    at_ms = moment(value) if seconds_ago is None else now_ms() - round(seconds_ago * 1000)
    if at_ms is None:
        raise click.BadParameter(
            f"{value!r} is neither an age like 24h or 7d nor a date like 2026-01-31 or 2026-01-31T08:00"
        )
    return at_ms


def later(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """An instant to come: a duration from now (2h), or a date as `instant` reads it. Epoch milliseconds."""
    from poller.clock import now_ms

    if value is None:
        return None
    seconds_ahead = _seconds(value)
    at_ms = moment(value) if seconds_ahead is None else now_ms() + round(seconds_ahead * 1000)
    if at_ms is None:
        raise click.BadParameter(
            f"{value!r} is neither a time from now like 2h or 7d nor a date like 2026-01-31 or 2026-01-31T08:00"
        )
    return at_ms


def seconds(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A duration as config.xml has them: 30s, 10m, 2h, 1d, 1h30m."""
    from poller.config.mistakes import WrongError
    from poller.config.values import duration

    if value is None:
        return None
    try:
        found = duration(value)
    except WrongError as error:
        raise click.BadParameter(f"{value!r} {error}") from error
    if found > _LONGEST:
        raise click.BadParameter(f"{value!r} is too long")
    return found


def _seconds(text: str) -> float | None:
    """Of a duration as config.xml has them, 0 for `now`; None when it is none."""
    from poller.config.mistakes import WrongError
    from poller.config.values import duration

    try:
        found = 0.0 if text == "now" else duration(text)
    except WrongError:
        return None
    return found if found <= _LONGEST else None


def moment(text: str) -> int | None:
    """A date, with a time or without, UTC unless it says so: epoch milliseconds; None when it is none."""
    try:
        return _ms(datetime.fromisoformat(text.removesuffix("Z")))
    except (ValueError, OverflowError):
        return None


def _ms(at: datetime) -> int:
    return round((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp() * 1000)


def shown(at_ms: float) -> str:
    """`2026-01-31 08:00:00`; the number itself where no calendar has that instant."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{at_ms:.0f} ms"

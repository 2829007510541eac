"""Tables of hosts for people: numbers with units, foreign text inert, no decoration when it is not a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from poller.cli.layout import PlainTable
from poller.cli.settings import inert

if TYPE_CHECKING:
    from poller.daemon.account import Entry

_STYLES: Mapping[str, str] = {
    "ok": "green", "partial": "yellow", "failed": "bold red", "skipped": "yellow", "stale": "bold yellow",
}  # fmt: skip

# So far clocks may be apart.
_AHEAD_MS = 60_000


def plain_table(*columns: str) -> PlainTable:
    """The table of every command. Columns that start with ">" align right; the last one may hold sentences."""
    return PlainTable(columns)


def outcome(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))


def cell(text: str) -> Text:
    """Foreign text, inert and without markup."""
    return Text(inert(text))


def poll_table(entries: Iterable[Entry]) -> PlainTable:
    """One line per host of a round, of what `poller run --json` says of it; what failed says why and what to do."""
    table = plain_table("HOST", "OUTCOME", ">CPU", ">MEMORY", ">DISK", ">LOAD", ">UP", ">SECONDS", "")
    for one in sorted(entries, key=lambda one: str(one["name"])):
        table.add_row(
            cell(one["name"]), outcome(one["outcome"]), *vitals(one["metrics"]), f"{one['seconds']:.2f}", note(one)
        )
    return table


def note(one: Entry) -> Text:
    from poller.cli.findings import ready

    where = f"{one['stage']}/{one['code']}: " if one["stage"] else ""
    way_out = f"\n-> {ready(one['hint'], one['name'])}" if one["hint"] else ""
    return Text(inert(f"{where}{one['error']}{way_out}"))


def vitals(metrics: Mapping[str, float]) -> tuple[str, str, str, str, str]:
    """cpu, memory, fullest disk, load and uptime, as short texts; empty where there is no value."""
    best: dict[str, float] = {}
    for name, value in metrics.items():
        metric = name.partition("{")[0]
        best[metric] = max(value, best.get(metric, value))

    def shown(metric: str, form: str) -> str:
        return form.format(best[metric]) if metric in best else ""

    up = best.get("uptime.seconds")
    return (
        shown("cpu.percent", "{:.0f}%"),
        shown("memory.percent", "{:.0f}%"),
        shown("disk.percent", "{:.0f}%"),
        shown("load.1m", "{:.2f}"),
        duration(up) if up is not None else "",
    )


def duration(seconds: float) -> str:
    """The largest fitting unit: 45s, 12m, 5h, 3d."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def ago(at_ms: int | None, now: int) -> str:
    """How old that is: `5m ago`, `never` without an instant."""
    if at_ms and at_ms - now > _AHEAD_MS:
        return "in the future"  # written while this machine's clock was wrong, or it is now
    return "never" if not at_ms else f"{duration(max(0, now - at_ms) / 1000)} ago"


def quantity(value: float, unit: str) -> str:
    """A number with its unit for people: bytes as KiB, MiB, ..., seconds as a duration, percent with its sign."""
    if unit.startswith("bytes"):
        from poller.notify.wording import size

        return size(value) + ("/s" if "per second" in unit else "")
    if unit == "percent":
        return f"{value:.1f}%"
    if unit == "seconds":
        return duration(value) if value >= 120 else f"{figures(value)}s"
    if unit == "per second":
        return f"{figures(value)}/s"
    return figures(value)


def figures(value: float) -> str:
    """A number with as many digits as tell something: three that count, and every one before the point."""
    if not math.isfinite(value) or value == int(value):
        return f"{value:.0f}"
    size = math.floor(math.log10(abs(value)))
    text = f"{value:.{min(max(2 - size, 1 if size < 3 else 0), 9)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def written(value: float, unit: str) -> str:
    """A limit as config.xml takes it, in the unit that says it shortest: 256MiB, 30m, 90."""
    if unit.startswith("bytes"):
        return _in_units(value, _SIZES)
    if unit == "seconds" and value >= 60:
        return _in_units(value, _TIMES)
    return plain(value)


def plain(value: float) -> str:
    """Digits without an exponent, as config.xml takes them (at most nine behind the point)."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


_SIZES = (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024), ("TB", 10**12), ("GB", 10**9),
          ("MB", 10**6), ("kB", 1000))  # fmt: skip
_TIMES = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def _in_units(value: float, units: Iterable[tuple[str, int]]) -> str:
    return next((f"{value / size:.0f}{unit}" for unit, size in units if value and not value % size), plain(value))

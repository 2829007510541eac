"""Tables of hosts for people: numbers with units, foreign text inert, no decoration when it is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from poller.cli.settings import inert

if TYPE_CHECKING:
    from poller.intake import Taken
    from poller.model import MetricValue

_STYLES: Mapping[str, str] = {
    "ok": "green", "partial": "yellow", "failed": "bold red", "skipped": "yellow", "stale": "bold yellow",
}  # fmt: skip


def plain_table(*columns: str) -> Table:
    """A table without lines; on a terminal it has a coloured head. Columns that start with ">" align right."""
    table = Table(box=None, pad_edge=False, header_style="bold" if sys.stdout.isatty() else "")
    for number, column in enumerate(columns, 1):
        last = number == len(columns)  # the one for sentences: it wraps, the others keep their shape
        justify: Literal["right", "left"] = "right" if column.startswith(">") else "left"
        table.add_column(column.lstrip(">"), justify=justify, no_wrap=not last, overflow="fold")
    return table


def outcome(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))


def cell(text: str) -> Text:
    """Foreign text, inert and without markup."""
    return Text(inert(text))


def poll_table(taken: Sequence[Taken]) -> Table:
    """One line per host of a round; what failed says why and what to do."""
    table = plain_table("HOST", "OUTCOME", ">CPU", ">MEMORY", ">DISK", ">LOAD", ">UP", ">SECONDS", "")
    for one in sorted(taken, key=lambda one: one.poll.host):
        poll = one.poll
        table.add_row(
            cell(poll.host), outcome(str(poll.outcome)), *vitals(one.values), f"{poll.seconds:.2f}", note(poll)
        )
    return table


def note(poll: object) -> Text:
    stage, code, error, hint = (str(getattr(poll, name)) for name in ("stage", "code", "error", "hint"))
    where = f"{stage}/{code}: " if stage else ""
    return Text(inert(f"{where}{error}" + (f"\n-> {hint}" if hint else "")))


def vitals(values: Iterable[MetricValue]) -> tuple[str, str, str, str, str]:
    """cpu, memory, fullest disk, load and uptime, as short texts; empty where there is no value."""
    best: dict[str, float] = {}
    for value in values:
        best[value.metric] = max(value.value, best.get(value.metric, value.value))

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


def quantity(value: float, unit: str) -> str:
    """A number with its unit for people: bytes as KiB, MiB, ..., seconds as a duration, percent with its sign."""
    if unit.startswith("bytes"):
        return _bytes(value) + ("/s" if "per second" in unit else "")
    if unit == "percent":
        return f"{value:.1f}%"
    if unit == "seconds":
        return duration(value) if value >= 120 else f"{value:.3f}s"
    if unit == "per second":
        return f"{value:.2f}/s"
    return f"{value:g}"


def _bytes(value: float) -> str:
    for prefix in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or prefix == "TiB":
            return f"{value:.0f} {prefix}" if prefix == "B" else f"{value:.1f} {prefix}"
        value /= 1024
    raise AssertionError("unreachable")

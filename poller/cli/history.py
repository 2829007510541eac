"""`poller history`: how one metric of one host went, as numbers with a sparkline, or every point of it."""

from __future__ import annotations

import difflib
import re
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli import past
from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from poller.metrics import Metric
    from poller.model import ArchiveSettings
    from poller.store.chart import Course, Resolution

_NAMED: Final = re.compile(r"(?P<metric>[^{]+)(?:\{(?:\w+=)?(?P<quote>[\"']?)(?P<label>.*)(?P=quote)\})?", re.DOTALL)
# Of the sparkline; numbers and labels need the rest of 80 columns.
_NARROW: Final = 16
_WIDE: Final = 60


def _complete_metric(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from poller.metrics import CATALOGUE

    return [name for name in CATALOGUE if name.startswith(incomplete)]


@click.command("history")
@click.argument("host", shell_complete=complete_host)
@click.argument("metric", shell_complete=_complete_metric)
@past.since_option("24h", "From when on: 90m, 24h (the default), 7d, 2026-01-31 (UTC).")
@past.until_option
@click.option(
    "--resolution",
    type=click.Choice(["raw", "5m", "1h"]),
    help="Every sample, means of five minutes, or of hours; without it as it fits the time.",
)
@past.journal_option
@click.option("--json", "as_json", is_flag=True, help="Every point, in base units.")
@click.option("--csv", "as_csv", is_flag=True, help="Every point, one row each, in base units.")
@click.pass_obj
def command(
    settings: Settings,
    host: str,
    metric: str,
    since_ms: int,
    until_ms: int | None,
    resolution: Resolution | None,
    journal: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show how a metric of a host went: the least, the mean, the greatest and the last value of each label.

    Two days are shown by every sample, two weeks by means of five minutes, more by means of hours; so is what is older
    than samples are kept. Least and greatest are always those of all samples.

    METRIC may name one label, or a glob of labels, in braces. On a terminal a sparkline goes from 0 to the greatest
    value (to 100 for shares); its blanks are times without a value. `poller metrics` lists the metrics.

    \b
    Examples:
      poller history web1 cpu.percent
      poller history web1 'disk.percent{/var}' --since 1y
      poller history web1 network.receive_bytes_per_second --since 2026-01-31 --csv
    """
    from poller.clock import now_ms
    from poller.store.chart import history

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other", "give one of them")
    known, label = _named(metric)
    where = past.source(settings, journal=journal)
    name = past.one_host(settings, where, host)
    until = now_ms() if until_ms is None else until_ms
    courses = _chosen(history(where, name, known.name, since_ms, until, resolution), label)
    if not courses:
        _check_label(where, name, known, label)
    if as_json:
        print_json(_document(name, known, courses, since_ms, until))
    elif as_csv:
        _print_csv(name, known, courses)
    elif courses:
        _print_table(settings, known, courses, since_ms, until)
    else:
        settings.err.print(
            f"poller: no values of {known.name} of {name} in that time: `poller status` says how old its report is",
            markup=False,
        )


def _named(text: str) -> tuple[Metric, str | None]:
    """`disk.percent{/var}` -> the metric and the label."""
    from poller.metrics import CATALOGUE, closest

    match = _NAMED.fullmatch(text)
    metric = CATALOGUE.get(match["metric"]) if match else None
    if match is None or metric is None:
        meant = closest(match["metric"] if match else text)
        raise UsageError(
            f"there is no metric {text!r}", f"did you mean {meant}?" if meant else "`poller metrics` lists all of them"
        )
    if match["label"] is not None and not metric.label:
        raise UsageError(f"{metric.name} has one value for the whole host, no labels", "leave the braces out")
    return metric, match["label"]


def _chosen(courses: tuple[Course, ...], label: str | None) -> tuple[Course, ...]:
    """Those of that label; as a glob when there is none of exactly that name."""
    if label is None:
        return courses
    exact = tuple(course for course in courses if course.label == label)
    return exact or tuple(course for course in courses if fnmatchcase(course.label, label))


def _check_label(where: Path | ArchiveSettings, host: str, metric: Metric, label: str | None) -> None:
    """UsageError when the host never had such a label."""
    from poller.store.chart import labels

    known = labels(where, host, metric.name) if label is not None else ()
    if label is None or label in known or any(fnmatchcase(one, label) for one in known):
        return
    meant = difflib.get_close_matches(label, known, n=1)
    hint = f"did you mean {meant[0]}?" if meant else f"it has: {', '.join(known[:8]) or 'none yet'}"
    raise UsageError(f"{host} has no {metric.label} {label!r}", hint)


def _summary(course: Course) -> dict[str, float]:
    return {"min": course.least, "avg": course.mean, "max": course.greatest, "last": course.last}


def _document(host: str, metric: Metric, courses: tuple[Course, ...], since_ms: int, until_ms: int) -> dict[str, Any]:
    series = [
        {
            "label": course.label,
            **_summary(course),
            "resolution": course.coarsest,
            "points": [list(point) for point in course.points],
        }
        for course in courses
    ]  # fmt: skip
    return {"host": host, "metric": metric.name, "unit": metric.unit, "label_name": metric.label or None,
            "since_ms": since_ms, "until_ms": until_ms, "series": series}  # fmt: skip


def _print_csv(host: str, metric: Metric, courses: tuple[Course, ...]) -> None:
    from poller.cli.instant import shown
    from poller.cli.query import csv_text
    from poller.store.query import Result

    rows = tuple(
        (shown(at_ms), at_ms, host, metric.name, course.label, value)
        for course in courses
        for at_ms, value in course.points
    )
    click.echo(csv_text(Result(("at", "at_ms", "host", "metric", "label", "value"), rows)), nl=False)


def _print_table(settings: Settings, metric: Metric, courses: tuple[Course, ...], since_ms: int, until_ms: int) -> None:
    from poller.cli.foreign import one_line
    from poller.cli.sparkline import can_draw, sparkline
    from poller.cli.table import plain_table, quantity

    terminal = sys.stdout.isatty()
    first = (metric.label.upper(),) if metric.label else ()
    table = plain_table(*first, ">MIN", ">AVG", ">MAX", ">LAST", *(("",) if terminal else (">SAMPLES",)))
    width = max(_NARROW, min(_WIDE, settings.out.width - 60))
    top = 100.0 if metric.unit == "percent" else 0.0
    for course in courses:
        cells = [one_line(course.label)] if metric.label else []
        cells += [quantity(value, metric.unit) for value in _summary(course).values()]
        if terminal:
            drawn = sparkline(course.points, since_ms, until_ms, width, blocks=can_draw(sys.stdout), top=top)
            table.add_row(*cells, f"|{drawn}|")
        else:
            table.add_row(*cells, str(len(course.points)))
    settings.out.print(table)

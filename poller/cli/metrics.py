"""`poller metrics`: the catalogue, what each metric reads now, and a threshold line ready to paste."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import click

from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.metrics import Metric
    from poller.model import MetricValue


@click.command("metrics")
@click.argument("pattern", default="*", metavar="[PATTERN]")
@click.option(
    "--host",
    metavar="NAME",
    shell_complete=complete_host,
    help="Show the last values of this host, and a line that fits them.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the sentence and source of each metric.")
@click.pass_obj
def command(settings: Settings, pattern: str, host: str | None, as_json: bool) -> None:
    """Show the metrics there are, and with --host what they read now.

    \b
    Examples:
      poller metrics                        all of them, with units
      poller metrics --host web1            values now, and a <threshold> line for each
      poller metrics 'disk.*' --host web1   some of them; one name works too
    """
    wanted = _wanted(pattern)
    values = _latest(settings, host) if host else None
    if as_json:
        print_json([_document(metric, values) for metric in wanted])
    elif values is None:
        _show_catalogue(settings, wanted)
    else:
        _show_values(settings, wanted, values)


def _wanted(pattern: str) -> list[Metric]:
    """The metrics of that name or glob, in the order of the catalogue."""
    from fnmatch import fnmatchcase

    from poller.metrics import CATALOGUE, closest

    wanted = [metric for metric in CATALOGUE.values() if fnmatchcase(metric.name, pattern)]
    if not wanted:
        meant = closest(pattern)
        hint = f"did you mean {meant}?" if meant else "`poller metrics` lists all of them"
        raise UsageError(f"no metric matches {pattern!r}", hint)
    return wanted


def _latest(settings: Settings, name: str) -> list[MetricValue]:
    from poller.app import Selection, select
    from poller.store import views

    hosts = select(settings.config, Selection(hosts=(name,)))
    if len(hosts) > 1:
        raise UsageError(f"{name!r} matches {len(hosts)} hosts", f"name one of them, such as {hosts[0].name}")
    return list(views.latest(settings.config.journal, hosts[0].name))


def _document(metric: Metric, values: Iterable[MetricValue] | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": metric.name,
        "label": metric.label or None,
        "unit": metric.unit,
        "column": f"{metric.table}.{metric.column}" if metric.column else None,
        "source": metric.source,
        "sentence": metric.sentence,
    }
    if values is not None:
        document["values"] = {str(value): value.value for value in values if value.metric == metric.name}
    return document


def _show_catalogue(settings: Settings, metrics: Iterable[Metric]) -> None:
    from poller.cli.table import plain_table

    table = plain_table("METRIC", "UNIT", "MEANING")
    for metric in metrics:
        table.add_row(metric.signature, metric.unit, metric.sentence)
    settings.out.print(table)


def _show_values(settings: Settings, metrics: Iterable[Metric], values: list[MetricValue]) -> None:
    from poller.cli.table import cell, plain_table, quantity

    if not values:
        settings.err.print("poller: no values of this host yet: `poller run` polls it", markup=False)
    table = plain_table("METRIC", ">NOW", "THRESHOLD LINE")
    for metric in metrics:
        for value in values:
            if value.metric == metric.name:
                table.add_row(cell(str(value)), quantity(value.value, metric.unit), cell(threshold_line(metric, value)))
    settings.out.print(table)


def threshold_line(metric: Metric, value: MetricValue) -> str:
    """A <threshold> with a limit that the value now keeps with some room: a start, to be edited."""
    from poller.cli.table import written

    labels = "".join(f" {name}={quoteattr(_as_glob(text))}" for name, text in value.labels)
    side = "above" if metric.higher_is_worse else "below"
    return f'<threshold metric="{metric.name}"{labels} {side}="{written(_room(metric, value.value), metric.unit)}"/>'


def _as_glob(text: str) -> str:
    """A label as a filter that matches it: glob signs and `${` are quoted, what config.xml refuses becomes `?`."""
    quoted = "".join(f"[{sign}]" if sign in "*?[" else sign if sign.isprintable() else "?" for sign in text)
    return quoted.replace("${", "$${")


def _room(metric: Metric, value: float) -> float:
    """A limit well beyond the value now. Sizes become whole powers of two: they read well."""
    if metric.unit == "0 or 1":
        return 0 if metric.higher_is_worse else 1
    if metric.unit == "percent":
        return _percent(value) if metric.higher_is_worse else float(round(value / 2))
    if metric.unit.startswith("bytes"):
        return _power_of_two(value, up=metric.higher_is_worse)
    scaled = value * 2 if metric.higher_is_worse else value / 2
    return float(f"{scaled:.1g}") or 1.0


def _percent(value: float) -> float:
    return min(99.0, max(80.0, round(value + (100 - value) / 2)))


def _power_of_two(value: float, *, up: bool) -> float:
    """The next one that leaves the value half of the room: at least 1 MiB above, at most 1 KiB below."""
    exponent = math.log2(max(value, 1.0))
    return float(2 ** (max(20, math.ceil(exponent) + 1) if up else max(10, math.floor(exponent) - 1)))

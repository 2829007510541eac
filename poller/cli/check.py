"""`poller check`: a monitoring plugin. Reads the database, polls nobody; everything that goes wrong is UNKNOWN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from poller.cli.instant import seconds
from poller.cli.range import Range
from poller.cli.selecting import complete_host, one_host
from poller.cli.settings import Settings
from poller.errors import UsageError
from poller.model import POLLER

if TYPE_CHECKING:
    from poller.cli.plugin import Answer


def _range(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Range | None:
    return None if value is None else Range.parse(value)


def _help(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    """The guidelines want the page of a plugin to be UNKNOWN: a check that only shows it watches nothing."""
    if value:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit(3)


def _complete_metric(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from poller.metrics import CATALOGUE

    return [name for name in CATALOGUE if name.startswith(incomplete)]


@click.command("check")
@click.option(
    "-H", "--host", "name", required=True, metavar="NAME", shell_complete=complete_host, help="The host to tell about."
)
@click.option("--metric", metavar="NAME", shell_complete=_complete_metric, help="Only this number, or this rule.")
@click.option("--label", metavar="GLOB", help="Only these of its labels, such as /var.")
@click.option("-w", "--warning", metavar="RANGE", callback=_range, help="WARNING outside of it.")
@click.option("-c", "--critical", metavar="RANGE", callback=_range, help="CRITICAL outside of it.")
@click.option(
    "--max-age", "max_age", metavar="TIME", callback=seconds,
    help="Older data are UNKNOWN. Default: two intervals and a deadline.",
)  # fmt: skip
@click.option(
    "-h", "--help", is_flag=True, is_eager=True, expose_value=False, callback=_help, help="Show this message and exit."
)
@click.pass_obj
def command(
    settings: Settings,
    name: str,
    metric: str | None,
    label: str | None,
    warning: Range | None,
    critical: Range | None,
    max_age: float | None,
) -> int:
    """Answer as a monitoring plugin does: one line, exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

    Without --metric: whether the host answers, and its open alerts (high is CRITICAL, medium and low are WARNING).
    With it: the newest value of each label against the ranges; the worst one counts. Without ranges: against the
    limits of config.xml and what is open. A RANGE is 10 (below 0 or above 10 is bad), 10: (below 10), ~:10 (above
    10), 10:20 (outside) or @10:20 (inside). Sizes are in bytes, times in seconds. The database is read, nobody polled.

    \b
    Examples:
      poller check --host web1
      poller check --host web1 --metric disk.percent --label /var -w 80 -c 90
      poller check --host poller --max-age 10m
      poller check --host web1 --metric memory.available_bytes -c 268435456: --max-age 10m
    """
    answer = _answer(settings, name, metric, label, warning, critical, max_age)
    click.echo(str(answer))
    return int(answer.state)


def _answer(
    settings: Settings,
    name: str,
    metric: str | None,
    label: str | None,
    warning: Range | None,
    critical: Range | None,
    max_age: float | None,
) -> Answer:
    from poller.clock import now_ms

    age_ms = None if max_age is None else round(max_age * 1000)
    if metric is None and (warning or critical or label is not None):
        raise UsageError("ranges and labels are about one number", "add --metric")
    if name == POLLER and metric is None:
        from poller.cli.check_itself import look as look_at_itself

        return look_at_itself(settings.config, now_ms(), age_ms)
    host = one_host(settings.config, name)
    if metric is None:
        from poller.cli.check_host import look

        return look(settings.config, host, now_ms(), age_ms)
    from poller.cli.bounds import Bounds
    from poller.cli.check_metric import Wanted, measure

    given = Bounds(warning, critical) if warning or critical else None
    return measure(settings.config, host, Wanted(metric, label, given, age_ms), now_ms())

"""`poller capacity`: what polls cost on the user's own last day, how many hosts that allows, and what breaks first."""

from __future__ import annotations

from typing import Final

import click

from poller.cli.settings import Settings, print_json

_USUAL: Final = (10_000, 100_000)


@click.command("capacity")
@click.option(
    "--hosts", "counts", type=click.IntRange(min=1), multiple=True, metavar="N",
    help="Ask about so many hosts, several times too. Default: 10,000 and 100,000.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, counts: tuple[int, ...], as_json: bool) -> None:
    """Show how many hosts this machine can poll, from what polls cost on the last day.

    What was measured here comes from the journal and from the daemon, if one runs. What stands behind
    a ~ is assumed, from benchmarks/RESULTS.md: another machine's figures.

    \b
    Examples:
      poller capacity
      poller capacity --hosts 500 --hosts 2000
      poller capacity --json | jq .per_host
    """
    from poller.capacity import limits, yields
    from poller.cli import capacity_shown as shown
    from poller.cli.capacity_known import known

    found = known(settings.config)
    per_host = yields(found.poll, found.host, found.plan)
    at = {count: limits(count, found.poll, found.host, found.machine, found.plan) for count in counts or _USUAL}
    if as_json:
        print_json(shown.as_document(found, per_host, at))
        return
    shown.show_day(settings, found)
    shown.show_host(settings, found, per_host)
    for count, limited in at.items():
        shown.show_limits(settings, count, limited)

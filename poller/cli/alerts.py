"""`poller alerts`: what is open, what becomes of it, and who takes care; one of them in full; or what changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from poller.cli import past
from poller.cli.alert_choice import Wanted, complete_alert, one_of_all
from poller.cli.selecting import complete_group
from poller.cli.settings import Settings, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.cli.alert_list import Row
    from poller.model import Severity
    from poller.store.alerting import AlertStatus


@click.command("alerts")
@click.argument("ending", metavar="[ID]", required=False, shell_complete=complete_alert)
@past.hosts_option
@click.option("--group", "groups", multiple=True, metavar="GROUP", shell_complete=complete_group, help="Of this group.")
@past.severity_option("alerts")
@click.option("--metric", "metrics", multiple=True, metavar="GLOB", help="On these metrics, or of these rules.")
@past.since_option(None, "Only those that began since (--all: that were open since): 24h, 7d, 2026-01-31 (UTC).")
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@past.limit_option
@click.option("--pending", is_flag=True, help="What is over its limit, but not for long enough yet.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what changes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; with --follow one object per line.")
@click.pass_obj
def command(
    settings: Settings,
    ending: str | None,
    hosts: tuple[str, ...],
    groups: tuple[str, ...],
    severity: Severity,
    metrics: tuple[str, ...],
    since_ms: int | None,
    everything: bool,
    limit: int | None,
    pending: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Show open alerts, the worst first, and what becomes of each; with an ID one of them in full.

    An alert is one episode, from the first limit that is passed to the last that is not any more. It fires; or it
    flaps (comes and goes); or it is suspended, because nothing was heard of it for twice the time between two polls;
    or somebody acknowledged it, or a silence or a downtime keeps it quiet; or nobody was told, and why. An ID is the
    end of the whole one, its last four characters are enough when no other alert ends in them. Times are UTC.

    \b
    Examples:
      poller alerts
      poller alerts 1f2e3d4c
      poller alerts --follow --severity medium
      poller alerts --all --host 'lab*' --metric 'disk.*' --since 7d --json
      poller alerts --pending
    """
    if ending is not None:
        if follow or pending or everything or hosts or groups or metrics or limit or since_ms is not None:
            raise UsageError("an ID names one alert, the other options choose among them", "give one or the other")
        _one(settings, ending, as_json)
        return
    if follow and since_ms is not None:
        raise UsageError("--follow begins with what is open now", "leave --since out, or --follow")
    if pending and (everything or follow or since_ms is not None):
        raise UsageError("what is pending is no alert yet: it neither ended nor is followed", "leave --pending out")
    wanted = Wanted(_names(settings, hosts, groups), severity, metrics, since_ms, everything)
    if pending:
        from poller.cli.alert_pending import show_pending

        show_pending(settings, wanted, as_json)
    elif follow:
        from poller.cli.alert_follow import follow_alerts

        follow_alerts(settings, wanted, as_json)
    else:
        _list(settings, wanted, limit, as_json)


def _names(settings: Settings, hosts: Sequence[str], groups: Sequence[str]) -> frozenset[str] | None:
    """Names of hosts, also of those that left config.xml; all that are given must fit."""
    if not (hosts or groups):
        return None
    config = settings.config
    named = past.some_hosts(settings, config.journal, hosts)
    of_groups = past.matching(groups, [host.group for host in config.hosts if host.group], "group")
    found = {host.name for host in config.hosts if of_groups is None or host.group in of_groups}
    if named is None:
        return frozenset(found)
    return frozenset(named) if of_groups is None else frozenset(named) & found


def _list(settings: Settings, wanted: Wanted, limit: int | None, as_json: bool) -> None:
    from poller.cli.alert_list import document, rows, table
    from poller.cli.alert_state import scene
    from poller.clock import now_ms
    from poller.store import alerting

    now = now_ms()
    statuses = alerting.alerts(settings.config.journal, since_ms=wanted.since_ms, everything=wanted.everything)
    found = sorted(
        rows(settings, _newest(settings, wanted, statuses, limit), scene(settings, now)), key=lambda one: one.weight
    )
    if as_json:
        print_json({"now_ms": now, "alerts": [document(one) for one in found]})
    elif found:
        settings.out.print(table(found, now))
        settings.out.print(_summary(found), markup=False)
    else:
        settings.err.print(f"poller: {_none(wanted, statuses)}", markup=False)


def _none(wanted: Wanted, statuses: Sequence[AlertStatus]) -> str:
    """Why nothing is shown: there is nothing, or it is not what was asked for."""
    if not statuses:
        return "no alerts" if wanted.everything else "no open alerts"
    return "no alerts that fit" if wanted.everything else f"none of the open alerts fits ({len(statuses)} open)"


def _newest(
    settings: Settings, wanted: Wanted, statuses: Sequence[AlertStatus], limit: int | None
) -> list[AlertStatus]:
    """All that are open; of those that have ended as many as one can look through."""
    found = [one for one in statuses if wanted.fits(one)]
    most = limit or (past.USUAL if wanted.since_ms is None else len(found))
    ended = sorted(
        (one for one in found if one.alert.closed_ms is not None), key=lambda one: -(one.alert.closed_ms or 0)
    )
    still = [one for one in found if one.alert.closed_ms is None]
    if limit is not None:
        still = sorted(still, key=lambda one: -one.alert.opened_ms)[:limit]
    most = max(0, most - len(still)) if limit is not None else most
    if len(ended) > most:
        settings.err.print(f"poller: older ones are left out: --limit {limit or most}", markup=False)
    return still + ended[:most]


def _summary(found: Sequence[Row]) -> str:
    from poller.cli.firing import counts

    still = [str(one.status.alert.severity) for one in found if one.status.alert.closed_ms is None]
    ended = len(found) - len(still)
    words = [f"{len(still)} open ({counts(still)})" if still else "", f"{ended} ended" if ended else ""]
    return ", ".join(word for word in words if word)


def _one(settings: Settings, ending: str, as_json: bool) -> None:
    from poller.cli.alert_page import facts, page
    from poller.cli.alert_state import scene
    from poller.clock import now_ms

    now = now_ms()
    found = facts(settings, one_of_all(settings.config.journal, ending), scene(settings, now))
    if as_json:
        print_json({"now_ms": now, **found.document()})
        return
    for block in page(found, now):
        settings.out.print(block)

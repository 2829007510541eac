"""What is over its limit, but not for long enough to be an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poller.cli.settings import Settings, counted, print_json

if TYPE_CHECKING:
    from poller.cli.alert_choice import Wanted
    from poller.cli.layout import PlainTable
    from poller.model import AnyRule
    from poller.store.alerting import Counting


def show_pending(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """As a table, the one that has waited longest first, or as JSON."""
    from poller.clock import now_ms
    from poller.model import Severity
    from poller.store import alerting

    now = now_ms()
    found = [
        _document(one, _rule(settings, one))
        for one in sorted(alerting.pending(settings.config.journal), key=lambda one: one.since_ms)
        if wanted.names(one.host, one.metric)
    ]
    found = [one for one in found if Severity.parse(one["severity"]) >= wanted.severity]
    if as_json:
        print_json({"now_ms": now, "pending": found})
    elif found:
        settings.out.print(_table(found, now))
    else:
        settings.err.print("poller: nothing is over its limit and waits to be an alert", markup=False)


def _rule(settings: Settings, one: Counting) -> AnyRule | None:
    """The threshold or rule it waits for; None when config.xml has changed since."""
    config = settings.config
    host = config.host(one.host)
    judged = host.judged if host else config.thresholds
    return next((rule for rule in judged if rule.key == one.limit_key and rule.covers(one.metric, one.labels)), None)


def _document(one: Counting, rule: AnyRule | None) -> dict[str, Any]:
    """The key of a limit ends in its severity (`above 90 high`, `rule - high`)."""
    return {
        "host": one.host, "metric": one.metric, "labels": dict(one.labels),
        "severity": str(rule.severity) if rule else one.limit_key.rpartition(" ")[2],
        "limit": str(rule) if rule else None, "since_ms": one.since_ms, "polls": one.polls,
        "for_seconds": rule.hold.seconds if rule else None,
        "for_polls": rule.hold.polls if rule else None,
    }  # fmt: skip


def _table(found: Sequence[dict[str, Any]], now: int) -> PlainTable:
    from rich.text import Text

    from poller.cli import firing
    from poller.cli.foreign import one_line
    from poller.cli.table import ago, plain_table

    table = plain_table("HOST", "SEVERITY", "SINCE", "SEEN IN", "LIMIT")
    for one in found:
        labels = tuple(one["labels"].items())
        limit = firing.breach(one["metric"], None, one["limit"]) if one["limit"] else "no longer in config.xml"
        table.add_row(
            one_line(one["host"]), Text(one["severity"], style=firing.STYLES.get(one["severity"], "")),
            ago(one['since_ms'], now), counted(one["polls"], "poll"),
            one_line(f"{firing.name(one['metric'], labels)} {limit}".rstrip()),
        )  # fmt: skip
    return table

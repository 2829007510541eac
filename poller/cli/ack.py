"""`poller ack`: somebody takes care of an alert, so nobody is reminded of it. Or does no longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from poller.cli import author as who
from poller.cli.alert_choice import chosen, complete_alert
from poller.cli.ids import short
from poller.cli.instant import later
from poller.cli.settings import Settings, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.store.alerting import AlertStatus


@click.command("ack")
@click.argument("endings", metavar="ID...", nargs=-1, required=True, shell_complete=complete_alert)
@click.option("--comment", metavar="TEXT", help="Why, or what is done about it. Everybody can read it.")
@click.option(
    "--until", "until_ms", metavar="WHEN", callback=later, help="For so long: 2h, or a date. Default: its end."
)
@click.option("--author", metavar="NAME", help="Who says so. Default: who called sudo, else the login name.")
@click.option("--end", is_flag=True, help="Take the acknowledgement back.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings,
    endings: tuple[str, ...],
    comment: str | None,
    until_ms: int | None,
    author: str | None,
    end: bool,
    as_json: bool,
) -> None:
    """Acknowledge open alerts: somebody takes care of them.

    Nobody is reminded of an acknowledged alert, and nothing escalates. That it gets worse, and that it is over, is
    told all the same. An ID is what `poller alerts` shows; its last four characters are enough when no other alert
    ends in them. With --until the reminders go on after that time if it is still open. Times are UTC.

    \b
    Examples:
      poller ack 1f2e3d4c --comment 'the new disk comes tomorrow'
      poller ack 1f2e3d4c 77aa --comment 'we know' --until 2h
      poller ack 1f2e3d4c --end
    """
    from poller.clock import now_ms

    now = now_ms()
    if end and (comment is not None or until_ms is not None):
        raise UsageError(
            "--end takes an acknowledgement back, which needs neither --comment nor --until", "give --end alone"
        )
    if not end and comment is None:
        raise UsageError("an acknowledgement needs a comment", "--comment 'the new disk comes tomorrow'")
    if until_ms is not None and until_ms <= now:
        raise UsageError("--until is not in the future", "give a time from now like 2h, or a later date (UTC)")
    words = "" if comment is None else who.comment(comment)
    alerts = chosen(settings.config.journal, endings)
    if end:
        _check_acknowledged(alerts)
    name = who.author(author)
    done = [
        _ended(settings, one, name, now) if end else _acknowledged(settings, one, name, words, until_ms, now)
        for one in alerts
    ]
    if as_json:
        print_json({"now_ms": now, "alerts": done})
        return
    for one, what in zip(alerts, done, strict=True):
        _say(settings, one, what)


def _check_acknowledged(alerts: Sequence[AlertStatus]) -> None:
    for one in alerts:
        if one.acknowledgement is None:
            what = f"alert {short(one.alert.id)} ({one.alert.host} {one.alert.metric})"
            raise UsageError(f"{what} is not acknowledged", "`poller alerts` shows who takes care of what")


def _acknowledged(
    settings: Settings, one: AlertStatus, name: str, comment: str, until_ms: int | None, now: int
) -> dict[str, Any]:
    from uuid6 import uuid7

    from poller.cli.alert_list import acknowledged
    from poller.model import Acknowledgement
    from poller.store import alerting

    made = Acknowledgement(str(uuid7()), one.alert.id, now, name, comment, until_ms)
    alerting.acknowledge(settings.config.journal, made)
    return {"id": one.alert.id, "did": "acknowledged", "acknowledgement": acknowledged(made)}


def _ended(settings: Settings, one: AlertStatus, name: str, now: int) -> dict[str, Any]:
    from poller.cli.alert_list import acknowledged
    from poller.store import alerting

    alerting.end_acknowledgement(settings.config.journal, one.alert.id, name, now)
    before = acknowledged(one.acknowledgement)
    return {
        "id": one.alert.id,
        "did": "ended",
        "acknowledgement": before and before | {"ended_ms": now, "ended_by": name},
    }


def _say(settings: Settings, one: AlertStatus, done: dict[str, Any]) -> None:
    from poller.cli import firing
    from poller.cli.foreign import one_line
    from poller.cli.instant import shown

    alert, ack = one.alert, done["acknowledgement"]
    what = one_line(f"{short(alert.id)} {alert.host} {firing.told(alert)}")
    if done["did"] == "ended":
        settings.out.print(f"no longer acknowledged: {what}", markup=False)
        return
    until = "its end" if ack["until_ms"] is None else f"{shown(ack['until_ms'])} UTC"
    settings.out.print(f"acknowledged: {what}", markup=False)
    settings.out.print(f"    by {one_line(ack['author'])} until {until}: {one_line(ack['comment'])}", markup=False)

"""`poller show`: everything that is known about one host, on a page or as JSON. Reads the database, polls nobody."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli import past
from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from poller.cli.alert_list import Row
    from poller.store.show import Facts

    Becomes = Mapping[str, Row]

# Beside the parts that are lists of their own in the database.
_MORE: Final = ("system", "metrics", "alerts")


def _sections() -> tuple[str, ...]:
    from poller.store.show import PARTS

    return (*_MORE, *PARTS)


def _section(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A part of the page; one that is none is told what was probably meant."""
    if value is None or value in _sections():
        return value
    meant = difflib.get_close_matches(value, _sections(), n=1)
    hint = f"Did you mean {meant[0]}?" if meant else f"There are {', '.join(_sections())}."
    raise click.BadParameter(f"there is no section {value!r}. {hint}")


def _complete_section(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in _sections() if name.startswith(incomplete)]


@click.command("show")
@click.argument("host", shell_complete=complete_host)
@click.option(
    "--section", metavar="NAME", callback=_section, shell_complete=_complete_section,
    help="One part in full: metrics, usb, mounts, listeners, peers, ...",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Everything, with instants in milliseconds and base units.")
@click.pass_obj
def command(settings: Settings, host: str, section: str | None, as_json: bool) -> None:
    """Show everything that is known about one host: its numbers, what it has, what could not be read, what happened.

    Nothing is polled: the page says how old its knowledge is, and parts that are older than the newest report say so
    themselves. Times are UTC.

    \b
    Examples:
      poller show web1
      poller show web1 --section peers
      poller show web1 --json
    """
    from poller.clock import now_ms
    from poller.errors import StoreError
    from poller.store.show import facts

    journal = settings.config.journal
    name = past.one_host(settings, journal, host)
    now = now_ms()
    try:
        known = facts(journal, name, now)
    except StoreError as error:
        if error.code != "absent":
            raise
        known = None
    if known is None:
        _never(settings, name, now, as_json)
        return
    becomes = _becomes(settings, name, now)
    if as_json:
        whole = document(name, known, becomes, now)
        print_json(whole if section is None else {"name": name, "now_ms": now, section: whole[section]})
    elif section is None:
        _page(settings, name, known, becomes, now)
    else:
        _part(settings, section, document(name, known, becomes, now)[section])


def _becomes(settings: Settings, name: str, now: int) -> Becomes:
    """What becomes of each open alert of the host, by its id."""
    from poller.cli.alert_list import rows
    from poller.cli.alert_state import scene
    from poller.store import alerting

    found = [one for one in alerting.alerts(settings.config.journal) if one.alert.host == name]
    return {row.status.alert.id: row for row in rows(settings, found, scene(settings, now))}


def _never(settings: Settings, name: str, now: int, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "now_ms": now, "outcome": "never"})
    else:
        settings.out.print(f"{name} was never polled: `poller run --host {name}`", markup=False)


def document(name: str, known: Facts, becomes: Becomes, now: int) -> dict[str, Any]:
    """The stable JSON form: one key for each section, and what is known about the newest poll."""
    from poller.store.show import PARTS

    host = known.host
    of_poll = ("outcome", "stage", "code", "error", "at_ms", "seconds", "report_ms", "failures", "first_seen_ms")
    return {
        "name": name,
        "now_ms": now,
        **{key: host[key] for key in of_poll},
        "system": {key: value for key, value in host.items() if key not in (*of_poll, "id")},
        "metrics": {str(value): _plain(value.value) for value in known.metrics},
        "alerts": [
            {"metric": alert.metric, "labels": dict(alert.labels), "severity": str(alert.severity),
             "value": alert.value, "limit": alert.limit, "since_ms": alert.since_ms, "id": alert.id,
             **_state(becomes.get(alert.id))}
            for alert in known.alerts
        ],
        **{part: [{key: _plain(cell) for key, cell in one.items()} for one in known.parts[part]] for part in PARTS},
    }  # fmt: skip


def _state(row: Row | None) -> dict[str, Any]:
    """None: it opened between two looks."""
    from poller.cli.alert_list import acknowledged

    if row is None:
        return {"state": "firing", "acknowledgement": None}
    return {"state": row.conditions[0].word, "acknowledgement": acknowledged(row.status.acknowledgement)}


def _plain(cell: Any) -> Any:
    """JSON has no infinity."""
    return str(cell) if isinstance(cell, float) and cell - cell != 0 else cell


def _page(settings: Settings, name: str, known: Facts, becomes: Becomes, now: int) -> None:
    from poller.cli.portrait import page

    for number, block in enumerate(page(name, known, becomes, now)):
        if number:
            settings.out.print()
        settings.out.print(block)


def _part(settings: Settings, section: str, part: Any) -> None:
    """One section as a table with a column for each field."""
    from poller.cli.portrait import quantity_of
    from poller.cli.query import print_table
    from poller.store.query import Result

    if section == "metrics":
        print_table(settings, Result(("metric", "value"), tuple((key, quantity_of(key, n)) for key, n in part.items())))
        return
    if section == "alerts":
        part = [_flat(one) for one in part]
    records = [part] if isinstance(part, dict) else part
    columns = tuple(records[0]) if records else (section,)
    print_table(settings, Result(columns, tuple(tuple(record.values()) for record in records)))


def _flat(alert: dict[str, Any]) -> dict[str, Any]:
    """For a table, whose cells hold no lists."""
    ack = alert["acknowledgement"]
    words = f"{ack['author']}: {ack['comment']}" if ack else ""
    return {**alert, "labels": ",".join(alert["labels"].values()), "acknowledgement": words}

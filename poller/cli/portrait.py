"""The page of `poller show`: what a host is, how it is, what it has, what could not be read, what happened there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from poller.cli import firing
from poller.cli.foreign import one_line
from poller.cli.ids import short
from poller.cli.instant import shown
from poller.cli.layout import PlainTable
from poller.cli.table import ago, duration, outcome, plain_table, quantity
from poller.cli.vitals import Now
from poller.metrics import CATALOGUE

if TYPE_CHECKING:
    from poller.cli.alert_list import Row
    from poller.store.show import Facts, Record

# Of each list so many rows; the rest is told by its number.
_ROWS: Final = 10


def page(name: str, known: Facts, becomes: Mapping[str, Row], now: int) -> Iterator[Text | PlainTable]:
    """The blocks of the page, from above to below. `becomes` has what is to be said of its alerts, by id."""
    yield _head(name, known, now)
    yield _now(known, now)
    for part, table in _TABLES.items():
        rows = [row for row in known.parts[part] if table.matters(row)]
        if rows:
            yield _list(name, part, table, rows, len(known.parts[part]))
    yield from _unread(known, now)
    if known.alerts:
        yield _alerts(known, becomes, now)
    if known.parts["events"]:
        yield _events(known.parts["events"])


def _head(name: str, known: Facts, now: int) -> Text:
    host = known.host
    text = Text(f"{one_line(name)}  ", style="bold" if sys.stdout.isatty() else "")
    text += outcome(host["outcome"] or "never")
    text.append(f"  polled {ago(host['at_ms'], now)}" if host["at_ms"] else "  never polled")
    if host["report_ms"] and host["report_ms"] != host["at_ms"]:
        text.append(f", what follows is {duration(max(0, now - host['report_ms']) / 1000)} old")
    if host["stage"]:
        text.append(f"\n{host['stage']}/{host['code']}: {one_line(host['error'])}")
    kernel = f"{host['kernel'] or ''} {host['kernel_release'] or ''}".strip()
    system = [host["distribution_name"], kernel, host["machine"], f"{host['cpus']} CPUs" if host["cpus"] else ""]
    up = {value.metric: value.value for value in known.metrics}.get("uptime.seconds")
    system.append(f"up {duration(up)}" if up is not None else "")
    text.append(f"\n{one_line(', '.join(part for part in system if part)) or 'no report yet'}")
    where = [host["address"], f"calls itself {host['hostname']}" if host["hostname"] not in (None, name) else ""]
    text.append(f"\n{one_line(', '.join(part for part in where if part))}" if any(where) else "")
    return text


def quantity_of(name: str, value: float | str) -> str:
    """A number with the unit of its metric; `name` may have labels in braces."""
    metric = CATALOGUE.get(name.partition("{")[0])
    return quantity(value, metric.unit) if metric and isinstance(value, (int, float)) else str(value)


def _now(known: Facts, now: int) -> PlainTable:
    table = plain_table("NOW", "")
    for label, words in Now(known, now).lines():
        table.add_row(one_line(label), one_line(words))
    return table


class _Table:
    """How a part looks on the page: a heading and a cell for each column, and the rows that are worth its room."""

    def __init__(
        self,
        columns: Mapping[str, Callable[[Record], Any]],
        matters: Callable[[Record], Any] = lambda row: True,
    ) -> None:
        self.columns = columns
        self.matters = matters


def _key(name: str) -> Callable[[Record], Any]:
    return lambda row: row[name]


def _since(row: Record) -> str:
    return shown(row["since_ms"])[:16]


def _usb_name(row: Record) -> str:
    return f"{row['vendor']}:{row['product']} {row['vendor_name']} {row['product_name']}".rstrip()


def _socket(row: Record) -> str:
    address = f"[{row['address']}]" if ":" in row["address"] else row["address"]
    return f"{address}:{row['port']}"


def _on_this_host_only(row: Record) -> bool:
    return bool(row["address"] == "::1" or row["address"].startswith("127."))


def _carried_by(row: Record) -> str:
    words = [word for word in ("removable", "usb", "network") if row[word]]
    return " ".join([*words, f"({row['carrier']})"] if row["carrier"] else words)


def _bytes(name: str) -> Callable[[Record], str]:
    return lambda row: "?" if row[name] is None else quantity(row[name], "bytes")


_TABLES: Final[Mapping[str, _Table]] = {
    "usb": _Table(
        {"USB": _key("kind"), "SINCE": _since, "PORT": _key("port"), "BRINGS": _key("devices"),
         "SERIAL": _key("serial"), "": _usb_name},
        lambda row: row["kind"] != "hub",
    ),
    "devices": _Table(
        {"DEVICE": _key("name"), "SINCE": _since, "KIND": _key("kind"), "BUS": _key("bus"), "": _key("model")}
    ),
    "mounts": _Table(
        {"MOUNT": _key("mountpoint"), "TYPE": _key("type"), "": _carried_by},
        lambda row: row["removable"] or row["usb"] or row["network"],
    ),
    "listeners": _Table(
        {"LISTENS": _socket, "PROTOCOL": _key("protocol"), "SINCE": _since, "": _key("process")},
        lambda row: not _on_this_host_only(row),
    ),
    "peers": _Table(
        {">SENT": _bytes("sent_bytes"), ">RECEIVED": _bytes("received_bytes"), ">OPENED": _key("opened"),
         "PORT": lambda row: f"{row['protocol']}/{row['port']}" + (" here" if row["inbound"] else ""),
         "PEER OF THE LAST DAY": lambda row: f"{row['name'] or row['address']} ({row['scope']})"},
        lambda row: row["scope"] != "loopback",
    ),
    "logs": _Table(
        {"LOG": _key("log"), "STATE": _key("state"), "": lambda row: f"{row['path']}: {row['reason']}".rstrip(": ")},
        lambda row: row["state"] != "ok",
    ),
}  # fmt: skip


def _list(name: str, part: str, table: _Table, rows: Sequence[Record], of: int) -> PlainTable:
    made = plain_table(*table.columns)
    for row in rows[:_ROWS]:
        made.add_row(*(one_line(str(cell(row))) for cell in table.columns.values()))
    if of > min(len(rows), _ROWS) and part != "logs":
        left = [""] * (len(table.columns) - 1)
        made.add_row(*left, f"{of - min(len(rows), _ROWS)} more: poller show {one_line(name)} --section {part}")
    return made


def _unread(known: Facts, now: int) -> Iterable[PlainTable]:
    """Sections that could not be read, or were read before the newest report."""
    report_ms = known.host["report_ms"] or 0
    rows = [
        (one["section"], one["status"], ago(one["complete_ms"], now), one["reason"])
        for one in known.parts["sections"]
        if one["status"] != "ok" or one["reason"] or (one["complete_ms"] or 0) < report_ms
    ]
    if rows:
        table = plain_table("SECTION", "STATE", "READ", "")
        for row in rows:
            table.add_row(*map(one_line, row))
        yield table


def _alerts(known: Facts, becomes: Mapping[str, Row], now: int) -> PlainTable:
    table = plain_table("ALERT", "SINCE", "ID", "")
    for alert in known.alerts:
        row = becomes.get(alert.id)
        words = one_line(firing.words(alert))
        table.add_row(
            Text(str(alert.severity), style=firing.STYLES.get(str(alert.severity), "")), ago(alert.since_ms, now),
            short(alert.id), f"{words}, {row.words}" if row else words,
        )  # fmt: skip
    return table


def _events(events: Sequence[Record]) -> PlainTable:
    """The newest last, as `poller events` has them."""
    table = plain_table("LAST EVENTS", "", "")
    for event in reversed(events[:_ROWS]):
        style = firing.STYLES.get(event["severity"], "")
        kind = Text(one_line(event["kind"]), style=style)
        table.add_row(shown(event["at_ms"]), kind, Text(one_line(event["details"]), style=style))
    return table

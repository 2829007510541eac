"""What is watched on a host, for `poller config show`: a line for each thing, under its name among the origins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from poller.model import EVERY, NEVER, Host, LogFile, LogJournal, NetworkAllow, UsbAllow, Watch

if TYPE_CHECKING:
    from poller.cli.layout import PlainTable


def watched(watch: Watch) -> dict[str, str | list[str]]:
    """Thing -> how it is watched; a list for things that have no name."""
    logs: list[LogFile | LogJournal] = [*watch.logs, *watch.journals]
    return {
        **{f"section {name}": _every(watch.period(name)) for name in sorted({*EVERY, *watch.every})},
        "traffic source": watch.traffic,
        "traffic seconds": f"{watch.traffic_seconds:g}s",
        "processes top": str(watch.top),
        "processes commands": "yes" if watch.commands else "no",
        **{f"log {log.name}": _log(log) for log in logs},
        # The program alone: arguments may hold a password.
        **{f"check {one.name}": f"{one.command[0]}, at most {one.timeout:g}s" for one in watch.checks},
        **{name: shown for name, shown in _lists(watch).items() if shown},
    }


def document(host: Host, origins: Mapping[str, str]) -> dict[str, Any]:
    """The stable JSON form."""
    return {
        name: {"value": value, "where": origins.get(name, "default")} for name, value in watched(host.watch).items()
    }


def table(host: Host, origins: Mapping[str, str]) -> PlainTable:
    """The same for people."""
    from poller.cli.table import cell, plain_table

    rows = plain_table("WATCHED", "VALUE", "SET BY")
    for name, value in watched(host.watch).items():
        shown = value if isinstance(value, str) else ", ".join(value)
        rows.add_row(cell(name), cell(shown), cell(origins.get(name, "default")))
    return rows


def _every(seconds: float) -> str:
    if seconds == NEVER:
        return "never"
    return f"every {seconds:g}s" if seconds else "each poll"


def _log(log: LogFile | LogJournal) -> str:
    if isinstance(log, LogFile):
        what = log.path
    else:
        filters = [f"unit {log.unit}"] * bool(log.unit) + [f"identifier {log.identifier}"] * bool(log.identifier)
        what = " ".join(["journal", *filters])
    return f"{what}, from its start" if log.start else what


def _lists(watch: Watch) -> dict[str, list[str]]:
    return {
        "usb-allow": [_device(one) for one in watch.usb_allow],
        "network-allow": [_peer(one) for one in watch.network_allow],
        "lan": list(watch.lans),
        "textfile": list(watch.textfiles),
        "redact": [one.pattern for one in watch.redactions],
    }


def _device(allowed: UsbAllow) -> str:
    return _said((name, getattr(allowed, name)) for name in ("vendor", "product", "serial", "port"))


def _peer(allowed: NetworkAllow) -> str:
    port = str(allowed.port) if allowed.port else "*"
    return _said((("to", allowed.network), ("port", port), ("proto", allowed.protocol or "*")))


def _said(pairs: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{name}={value}" for name, value in pairs if value != "*")

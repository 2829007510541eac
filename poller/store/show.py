"""Everything the journal knows about one host, part by part, in one look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from poller.model import Alert, MetricValue
from poller.store.alerts import alert_of
from poller.store.database import reading
from poller.store.sql import statements
from poller.store.views import latest

DAY_MS: Final = 86_400_000

# The parts in the order in which they are shown, each with the statement that reads it.
PARTS: Final[Mapping[str, str]] = {
    "filesystems": "show_filesystems",
    "disks": "show_disks",
    "interfaces": "show_interfaces",
    "addresses": "show_addresses",
    "usb": "show_usb",
    "devices": "show_devices",
    "mounts": "show_mounts",
    "listeners": "show_listeners",
    "peers": "show_peers",
    "processes": "show_processes",
    "units": "show_units",
    "checks": "show_checks",
    "series": "show_series",
    "people": "show_people",
    "logs": "show_logs",
    "sections": "show_sections",
    "events": "show_events",
}

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """`host` are the columns of its row and of its newest poll; `parts` the records of each of PARTS, by column.

    `metrics` are the numbers of the newest report, `alerts` those that are open, the worst first.
    """

    host: Record
    parts: Mapping[str, tuple[Record, ...]]
    alerts: tuple[Alert, ...]
    metrics: tuple[MetricValue, ...]


def facts(path: Path, host: str, now_ms: int) -> Facts | None:
    """What is known about a host; None when it was never polled. Peers are those of the last day."""
    with reading(path) as connection:
        connection.execute("BEGIN")
        cursor = connection.execute(statements()["show_host"], {"host": host})
        row = cursor.fetchone()
        if row is None:
            return None
        known = dict(zip((column[0] for column in cursor.description), row, strict=True))
        values = {"host_id": known["id"], "since_ms": now_ms - DAY_MS}
        parts = {}
        for part, name in PARTS.items():
            cursor = connection.execute(statements()[name], values)
            columns = [column[0] for column in cursor.description]
            parts[part] = tuple(dict(zip(columns, cells, strict=True)) for cells in cursor.fetchall())
        alerts = connection.execute(statements()["find_open_alerts"], {"host": host}).fetchall()
    opened = (alert_of(host, row) for row in alerts)
    worst_first = tuple(sorted(opened, key=lambda alert: (-alert.severity, alert.opened_ms)))
    return Facts(known, parts, worst_first, latest(path, host))

"""Metric values -> rows of the sample tables. Where a value goes stands in `poller.metrics`, nowhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from poller.metrics import SAMPLE_TABLES, column_names, columns
from poller.model import MetricValue
from poller.store.kinds import Key
from poller.store.pending import Pending


def _insert(table: str, inventory: str) -> str:
    """Two polls of a host in one millisecond: the later one counts."""
    names = [f"{inventory}_id", "at_ms", *column_names(table)]
    places = ", ".join("?" * len(names))
    return f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - names of ours


_INSERTS: Final = {table: _insert(table, inventory) for table, (_, inventory, _) in SAMPLE_TABLES.items()}
_SERIES: Final = "series_sample"
_PLACES: Final = {
    metric.name: (table, 2 + index)
    for table in SAMPLE_TABLES
    if table != _SERIES
    for index, metric in enumerate(columns(table))
}
_OF_SERIES: Final = frozenset(metric.name for metric in columns(_SERIES))
_EMPTY: Final[dict[str, list[Any]]] = {table: [None] * (2 + len(column_names(table))) for table in SAMPLE_TABLES}


class Samples:
    """The sample rows of one poll: (table, label) -> row. The first two columns are filled in by `store`."""

    def __init__(self, values: Sequence[MetricValue]) -> None:
        self._rows: dict[str, dict[str, list[Any]]] = {table: {} for table in _INSERTS if table != _SERIES}
        self._series: dict[Key, float] = {}
        for value in values:
            place = _PLACES.get(value.metric)
            if place is None:
                self._add_series(value)
                continue
            table, index = place
            label = value.labels[0][1] if value.labels else ""
            rows = self._rows[table]
            row = rows.get(label)
            if row is None:
                row = rows[label] = _EMPTY[table].copy()
            row[index] = value.value

    def _add_series(self, value: MetricValue) -> None:
        """Numbers of other people's making: infinity and what is no number have no place in a database."""
        if value.metric in _OF_SERIES and math.isfinite(value.value):
            self._series[value.metric, value.labels[0][1] if value.labels else ""] = value.value

    @property
    def series(self) -> dict[Key, Key]:
        """(metric, label) of each, as the inventory takes them."""
        return dict.fromkeys(self._series, ())

    def store_series(self, pending: Pending, at_ms: int, ids: Mapping[Key, int]) -> None:
        if self._series:
            rows = [(ids[key], at_ms, value) for key, value in self._series.items()]
            pending.add(_INSERTS[_SERIES], rows)

    def store(self, pending: Pending, host_id: int, at_ms: int, ids: Mapping[tuple[str, str], int]) -> None:
        """A value whose thing is not in the report cannot be: rates are made from the report's own rows."""
        for table, rows in self._rows.items():
            inventory = SAMPLE_TABLES[table][1]
            complete = []
            for label, row in rows.items():
                row[0] = host_id if inventory == "host" else ids.get((inventory, label))
                row[1] = at_ms
                if row[0] is not None:
                    complete.append(row)
            if complete:
                pending.add(_INSERTS[table], complete)

    def highlights(self) -> dict[str, Any]:
        """The numbers that `host_latest` shows; None where this poll does not know."""
        fullest = max(
            (
                (row[_DISK], mountpoint)
                for mountpoint, row in self._rows["filesystem_sample"].items()
                if row[_DISK] is not None
            ),
            default=(None, None),
        )
        system = self._rows["system_sample"].get("", _EMPTY["system_sample"])
        return {
            "cpu_percent": system[_CPU],
            "memory_percent": system[_MEMORY],
            "load_1m_per_cpu": system[_LOAD],
            "disk_percent": fullest[0],
            "disk_mountpoint": fullest[1],
        }


_CPU: Final = _PLACES["cpu.percent"][1]
_MEMORY: Final = _PLACES["memory.percent"][1]
_LOAD: Final = _PLACES["load.1m_per_cpu"][1]
_DISK: Final = _PLACES["disk.percent"][1]

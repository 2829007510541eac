"""A row -> the labels of its numbers."""

from __future__ import annotations

from typing import Final

from poller.model import (
    BlockDevice,
    Check,
    CpuTimes,
    Fault,
    FileSystem,
    Interface,
    LogSource,
    ProcessCount,
    RaidArray,
    Row,
    Sensor,
    Series,
    TextFile,
    Unit,
)

Labels = tuple[tuple[str, str], ...]

# A row's label, which is also the name of the field that holds it.
LABELS: Final[dict[type[Row], str]] = {
    CpuTimes: "core",
    FileSystem: "mountpoint",
    BlockDevice: "device",
    Interface: "interface",
}
# Rows that stand for a label of a series: label name, and the fields whose values make it, with / between.
SERIES: Final[dict[type[Row], tuple[str, tuple[str, ...]]]] = {
    ProcessCount: ("name", ("name",)),
    Unit: ("unit", ("unit",)),
    Check: ("check", ("check",)),
    TextFile: ("file", ("file",)),
    Series: ("series", ("series",)),
    Sensor: ("sensor", ("sensor",)),
    RaidArray: ("array", ("array",)),
    Fault: ("fault", ("kind", "device")),
    LogSource: ("log", ("log",)),
}
ALL_CORES: Final = "all"


def label_of(row: Row) -> Labels:
    """Empty for what there is one of, as all cores together."""
    name = LABELS.get(type(row))
    if name is None or (type(row) is CpuTimes and row.core == ALL_CORES):
        return ()
    return ((name, getattr(row, name)),)


def series_label_of(row: Row) -> tuple[str, str]:
    """Of a row of SERIES: (name, value)."""
    name, parts = SERIES[type(row)]
    return name, "/".join([getattr(row, part) for part in parts])

"""A reading -> the numbers that it gives alone, without one from before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from poller.model import (
    FileSystem,
    Interface,
    LoadAverage,
    Memory,
    MetricValue,
    Processes,
    Reading,
    Row,
    System,
)
from poller.probe.fields import Found, getters, percent, present

# kind -> (metric, field) for numbers that are reported as they are
_PLAIN: Final[dict[type[Row], list[tuple[str, str]]]] = {
    System: [("cpu.count", "cpus")],
    LoadAverage: [("load.1m", "one"), ("load.5m", "five"), ("load.15m", "fifteen")],
    Memory: [
        *((f"memory.{size}_bytes", size)
          for size in ("total", "available", "free", "buffers", "cached", "shared", "slab", "dirty")),
        ("swap.total_bytes", "swap_total"),
    ],
    Processes: [
        (f"processes.{state}", state)
        for state in ("total", "running", "sleeping", "uninterruptible", "zombie", "stopped", "idle")
    ],
}  # fmt: skip
# The rows of _PLAIN have no label.
_GETTERS: Final = getters(_PLAIN)


def gauges(now: Reading) -> Iterator[MetricValue]:
    """Of every section that was read; a number that is absent is left out."""
    for kind in _GAUGED:
        for row in now.rows(kind):
            if kind in _GETTERS:
                metrics, fields = _GETTERS[kind]
                yield from map(MetricValue, metrics, map(float, fields(row)))
            if kind in _DERIVED:
                yield from present(row, _DERIVED[kind](row))
    yield from _load_per_cpu(now)


def _load_per_cpu(now: Reading) -> Iterator[MetricValue]:
    cpus = next((row.cpus for row in now.rows(System) if isinstance(row, System)), 0)
    for load in now.rows(LoadAverage):
        if isinstance(load, LoadAverage) and cpus:
            yield MetricValue("load.1m_per_cpu", load.one / cpus)


def _memory(row: Memory) -> Found:
    yield "memory.percent", percent(row.total - row.available, row.total)
    used = max(0, row.swap_total - row.swap_free)
    yield "swap.percent", percent(used, row.swap_total) or 0.0
    yield "swap.used_bytes", used


def _filesystem(row: FileSystem) -> Found:
    """A stuck file system tells only that; one that was skipped or denied tells nothing. Btrfs has no inode count."""
    if row.state == "stuck":
        yield "disk.stuck", 1.0
    if row.state != "ok":
        return
    yield "disk.percent", percent(row.used, row.used + row.available)
    yield "disk.total_bytes", row.total
    yield "disk.used_bytes", row.used
    yield "disk.available_bytes", row.available
    yield "disk.stuck", 0.0
    yield "disk.read_only", row.read_only
    if row.inodes:
        yield "disk.inodes_percent", percent(row.inodes - row.inodes_free, row.inodes)
        yield "disk.inodes", row.inodes
        yield "disk.inodes_free", row.inodes_free


def _interface(row: Interface) -> Found:
    yield "network.up", {"up": 1.0, "down": 0.0}.get(row.link)


_DERIVED: Final[dict[type[Row], Callable[[Any], Found]]] = {
    Memory: _memory,
    FileSystem: _filesystem,
    Interface: _interface,
}
_GAUGED: Final[tuple[type[Row], ...]] = (System, Memory, LoadAverage, FileSystem, Interface, Processes)

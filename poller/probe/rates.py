"""A poll and what is remembered from before -> every number of the catalogue that this poll gives.

Gauges come from the newest reading. Rates come from two: the remembered one when it is usable, else the poll's own
two. Each section counts from the reading that it was in last, which may be older than the last report. A counter that
went back gives no value, nor does a row that is in one reading only; nothing is ever guessed.
Elapsed time is the host's uptime, never a clock. `host.down` is not here: it is there without a report, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from poller.metrics import CATALOGUE
from poller.model import (
    Before,
    BlockDevice,
    Check,
    CpuTimes,
    Fault,
    FileSystem,
    Interface,
    LoadAverage,
    LogSource,
    Memory,
    MetricValue,
    Ping,
    Poll,
    Pressure,
    ProcessCount,
    Processes,
    RaidArray,
    Reading,
    Row,
    Section,
    SectionStatus,
    Sensor,
    Series,
    Sight,
    System,
    TextFile,
    Unit,
    natural_key,
)

# Seconds of uptime between two polls whose readings are compared; and the least between two readings of one poll.
YOUNGEST: Final = 2.0
OLDEST: Final = 900.0
SHORTEST_WINDOW: Final = 0.2

Found = Iterator[tuple[str, float | None]]
Labels = tuple[tuple[str, str], ...]

# A row's label, which is also the name of the field that holds it.
_LABELS: Final[dict[type[Row], str]] = {
    CpuTimes: "core",
    FileSystem: "mountpoint",
    BlockDevice: "device",
    Interface: "interface",
}
# Rows that stand for a label of a series: label name, and the fields whose values make it, with / between.
_SERIES: Final[dict[type[Row], tuple[str, tuple[str, ...]]]] = {
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
_ALL_CORES: Final = "all"
# guest is inside user, guest_nice inside nice: these eight are all the time there is (proc_stat(5)).
_MODES: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_IDLE, _IOWAIT = _MAY_GO_BACK = _MODES.index("idle"), _MODES.index("iowait")
_times: Final = attrgetter(*_MODES, "guest", "guest_nice")
_SHARES: Final = ("percent", *(f"{mode}_percent" for mode in (*_MODES, "guest")))
_OF_ALL: Final = tuple(f"cpu.{share}" for share in _SHARES)
_OF_CORE: Final = tuple(f"cpu.core_{share}" for share in _SHARES)
_WAYS: Final = [
    (f"network.{way}_{what}_per_second", f"{way}_{what}")
    for way in ("receive", "transmit")
    for what in ("bytes", "packets", "errors", "dropped")
]

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
# kind -> (metric, counter) for what is counted per second
_PER_SECOND: Final[dict[type[Row], list[tuple[str, str]]]] = {
    Memory: [("swap.in_bytes_per_second", "swapped_in"), ("swap.out_bytes_per_second", "swapped_out")],
    BlockDevice: [
        ("block.read_bytes_per_second", "read_bytes"),
        ("block.write_bytes_per_second", "write_bytes"),
        ("block.reads_per_second", "reads"),
        ("block.writes_per_second", "writes"),
    ],
    Interface: _WAYS,
}


Getters = dict[type[Row], tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]]


def _getters(of: Mapping[type[Row], Sequence[tuple[str, str]]]) -> Getters:
    """kind -> the metrics, and what gives the fields that they are made from, at once."""
    found: Getters = {}
    for kind, pairs in of.items():
        metrics, names = zip(*pairs, strict=True)
        get = attrgetter(*names)
        found[kind] = metrics, get if len(names) > 1 else lambda row, one=get: (one(row),)  # type: ignore[misc]
    return found


# The rows of _PLAIN have no label.
_GETTERS: Final = _getters(_PLAIN)
_COUNTERS: Final = _getters(_PER_SECOND)
# What is counted since boot, and its section.
_COUNTED: Final[dict[type[Row], str]] = {
    CpuTimes: "cpu",
    Memory: "memory",
    BlockDevice: "block",
    Interface: "network",
    Pressure: "pressure",
}


def usable(older: Reading, newer: Reading, name: str = "") -> bool:
    """Whether rates may be counted from a remembered reading: the same boot, two seconds to a quarter of an hour.

    With `name` for that section, which may be of an older report than the rest.
    """
    section = older.section(name)
    return older.boot_id == newer.boot_id and YOUNGEST <= elapsed(older, newer, section) <= OLDEST


def elapsed(older: Reading, newer: Reading, section: Section | None = None) -> float:
    """Seconds by the host's uptime, since that section of the older one was read if it says when.

    Minus infinity, when that was before a reboot.
    """
    since = older.uptime if section is None or section.uptime is None else section.uptime
    return newer.uptime - since


def values(before: Before, poll: Poll) -> tuple[MetricValue, ...]:
    """Everything this poll tells; absent numbers are left out. One without a report gives its seconds, and a ping."""
    found = [MetricValue("poll.seconds", poll.seconds)]
    if poll.ping is not None:
        found += _ping(poll.ping)
    if poll.report is None:
        return tuple(found)
    now = poll.report.now
    found.append(MetricValue("uptime.seconds", now.uptime))
    if poll.answered_ms:
        middle = (poll.asked_ms + poll.answered_ms) / 2000
        found.append(MetricValue("clock.offset_seconds", now.clock - middle))
    found += _gauges(now)
    found += _rates(before, poll.report.readings)
    return tuple(found)


def _ping(ping: Ping) -> Iterator[MetricValue]:
    yield MetricValue("ping.loss_percent", ping.loss_percent)
    if ping.seconds is not None:
        yield MetricValue("ping.seconds", ping.seconds)


def sight(poll: Poll, values: Iterable[MetricValue] = ()) -> Sight:
    """Which sections were read completely, and which label values had a row, or have one of these values."""
    if poll.report is None:
        return Sight()
    now = poll.report.now
    labels = {label for value in values for label in value.labels}
    for kind in _LABELS:
        for row in now.rows(kind):
            labels.update(_label(row))
    for kind in _SERIES:
        labels.update(map(_series_label, now.rows(kind)))
    return Sight(frozenset(section.name for section in now.sections if complete(section)), frozenset(labels))


def complete(section: Section) -> bool:
    """Read to its end. A file of numbers that nobody could read (it has no time) may have held any of them."""
    if section.status is not SectionStatus.OK or section.reason:
        return False
    return section.name != "textfiles" or all(row.at for row in section.rows if isinstance(row, TextFile))


def _older(before: Before, readings: tuple[Reading, ...], name: str) -> tuple[Section, float] | None:
    """The section to count from and the seconds since: the remembered one, else that of the first of two, else none."""
    newest, first = readings[-1], readings[0]
    if before.reading is not None and usable(before.reading, newest, name):
        section = before.reading.section(name)
        if section is not None:
            return section, elapsed(before.reading, newest, section)
    section = first.section(name)
    if section is None or first.boot_id != newest.boot_id:
        return None
    seconds = elapsed(first, newest)
    return (section, seconds) if SHORTEST_WINDOW <= seconds <= OLDEST else None


def _label(row: Row) -> Labels:
    name = _LABELS.get(type(row))
    if name is None or (type(row) is CpuTimes and row.core == _ALL_CORES):
        return ()
    return ((name, getattr(row, name)),)


def _series_label(row: Row) -> tuple[str, str]:
    name, parts = _SERIES[type(row)]
    return name, "/".join([getattr(row, part) for part in parts])


def _present(row: Row, found: Iterable[tuple[str, float | None]]) -> Iterator[MetricValue]:
    """The numbers that exist, with the row's label."""
    label = _label(row)
    for metric, value in found:
        if value is not None:
            yield MetricValue(metric, float(value), label)


def _percent(part: float, whole: float) -> float | None:
    """None of nothing. Clamped, because a part and its whole are not read at the same instant."""
    return min(100.0, max(0.0, 100.0 * part / whole)) if whole > 0 else None


# --- gauges: one reading ---


def _gauges(now: Reading) -> Iterator[MetricValue]:
    for kind in _GAUGED:
        for row in now.rows(kind):
            if kind in _GETTERS:
                metrics, fields = _GETTERS[kind]
                yield from map(MetricValue, metrics, map(float, fields(row)))
            if kind in _DERIVED:
                yield from _present(row, _DERIVED[kind](row))
    yield from _load_per_cpu(now)


def _load_per_cpu(now: Reading) -> Iterator[MetricValue]:
    cpus = next((row.cpus for row in now.rows(System) if isinstance(row, System)), 0)
    for load in now.rows(LoadAverage):
        if isinstance(load, LoadAverage) and cpus:
            yield MetricValue("load.1m_per_cpu", load.one / cpus)


def _memory(row: Memory) -> Found:
    yield "memory.percent", _percent(row.total - row.available, row.total)
    used = max(0, row.swap_total - row.swap_free)
    yield "swap.percent", _percent(used, row.swap_total) or 0.0
    yield "swap.used_bytes", used


def _filesystem(row: FileSystem) -> Found:
    """A stuck file system tells only that; one that was skipped or denied tells nothing. Btrfs has no inode count."""
    if row.state == "stuck":
        yield "disk.stuck", 1.0
    if row.state != "ok":
        return
    yield "disk.percent", _percent(row.used, row.used + row.available)
    yield "disk.total_bytes", row.total
    yield "disk.used_bytes", row.used
    yield "disk.available_bytes", row.available
    yield "disk.stuck", 0.0
    yield "disk.read_only", row.read_only
    if row.inodes:
        yield "disk.inodes_percent", _percent(row.inodes - row.inodes_free, row.inodes)
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


# --- rates: two readings ---


def _rates(before: Before, readings: tuple[Reading, ...]) -> Iterator[MetricValue]:
    for kind, section in _COUNTED.items():
        rows = readings[-1].rows(kind)
        older = _older(before, readings, section) if rows else None
        if older is None:
            continue
        was, seconds = older
        known = {natural_key(row): row for row in was.rows if type(row) is kind}
        for row in rows:
            match = known.get(natural_key(row))
            if match is not None:
                yield from _between(kind, match, row, seconds)


def _between(kind: type[Row], was: Row, row: Row, elapsed: float) -> Iterator[MetricValue]:
    if kind in _COUNTERS:
        yield from _per_second(was, row, elapsed)
    if isinstance(row, CpuTimes):
        yield from _cpu(was, row)
    elif isinstance(row, BlockDevice):
        yield from _present(row, _block(was, row, elapsed))
    elif isinstance(row, Pressure):
        yield from _present(row, _pressure(was, row, elapsed))


def _per_second(was: Row, row: Row, elapsed: float) -> list[MetricValue]:
    metrics, counters = _COUNTERS[type(row)]
    label = _label(row)
    return [
        MetricValue(metric, (now - then) / elapsed, label)
        for metric, then, now in zip(metrics, counters(was), counters(row), strict=True)
        if now >= then  # else it went back
    ]


def _pressure(was: Row, row: Pressure, elapsed: float) -> Found:
    metric = f"pressure.{row.resource}_{row.kind}_percent"
    if metric in CATALOGUE:  # "cpu full" is there for symmetry and always zero
        yield metric, _share(was, row, "stalled", elapsed)


def _counted(was: Row, row: Row, counter: str) -> float | None:
    """How much was counted in between; None when the counter went back (reset, wrapped, another device)."""
    counted: float = getattr(row, counter) - getattr(was, counter)
    return counted if counted >= 0 else None


def _share(was: Row, row: Row, counter: str, elapsed: float) -> float | None:
    counted = _counted(was, row, counter)
    return None if counted is None else _percent(counted, elapsed)


def _cpu(was: Row, row: CpuTimes) -> list[MetricValue]:
    """Shares of the time in all modes, which is the time there was for this core (or for all of them)."""
    *spent, guest, guest_nice = (now - then for now, then in zip(_times(row), _times(was), strict=True))
    for mode in _MAY_GO_BACK:
        spent[mode] = max(0.0, spent[mode])
    total = sum(spent)
    if total <= 0 or min(spent) < 0:
        return []
    parts = [total - spent[_IDLE] - spent[_IOWAIT], *spent]
    if guest >= 0 and guest_nice >= 0:
        parts.append(guest + guest_nice)
    metrics, label = _OF_ALL if row.core == _ALL_CORES else _OF_CORE, _label(row)
    return [
        MetricValue(metric, min(100.0, max(0.0, 100.0 * part / total)), label)
        for metric, part in zip(metrics, parts, strict=False)  # without guest where that went back
    ]


def _block(was: Row, row: BlockDevice, elapsed: float) -> Found:
    yield "block.busy_percent", _share(was, row, "busy_seconds", elapsed)
    for way, requests in (("read", "reads"), ("write", "writes")):
        count, seconds = _counted(was, row, requests), _counted(was, row, f"{way}_seconds")
        if count and seconds is not None:  # the average of no requests is no number
            yield f"block.{way}_seconds", seconds / count

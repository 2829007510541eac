"""Two readings -> what was counted in between, per second or as a share.

The older one is the remembered one when it is usable, else the first of the poll's own two (`window`). A counter that
went back gives no value, nor does a row that is in one reading only; nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import (
    Before,
    BlockDevice,
    CpuTimes,
    Interface,
    Memory,
    MetricValue,
    Pressure,
    Reading,
    Row,
    natural_key,
)
from poller.probe.fields import Found, getters, percent, present
from poller.probe.label import ALL_CORES, label_of
from poller.probe.window import older_section

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
_COUNTERS: Final = getters(_PER_SECOND)
# What is counted since boot, and its section.
_COUNTED: Final[dict[type[Row], str]] = {
    CpuTimes: "cpu",
    Memory: "memory",
    BlockDevice: "block",
    Interface: "network",
    Pressure: "pressure",
}


def rates(before: Before, readings: tuple[Reading, ...]) -> Iterator[MetricValue]:
    """Of the newest of the poll's own `readings`, oldest first; nothing of a section without one to count from."""
    for kind, section in _COUNTED.items():
        rows = readings[-1].rows(kind)
        older = older_section(before, readings, section) if rows else None
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
        yield from present(row, _block(was, row, elapsed))
    elif isinstance(row, Pressure):
        yield from present(row, _pressure(was, row, elapsed))


def _per_second(was: Row, row: Row, elapsed: float) -> list[MetricValue]:
    metrics, counters = _COUNTERS[type(row)]
    label = label_of(row)
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
    return None if counted is None else percent(counted, elapsed)


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
    metrics, label = _OF_ALL if row.core == ALL_CORES else _OF_CORE, label_of(row)
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

"""How a host is, in a dozen lines: shares as bars, the rest in short words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from poller.cli.instant import shown
from poller.cli.sparkline import bar, can_draw
from poller.cli.table import figures, quantity

if TYPE_CHECKING:
    from poller.store.show import Facts, Record

Line = tuple[str, str]

_BAR: Final = 20
_MANY: Final = 5
_CHECK_WORDS: Final = ("ok", "WARNING", "CRITICAL", "UNKNOWN")


class Now:
    """The lines of one host, each a label and its words. What is not known has no line."""

    def __init__(self, known: Facts, now: int) -> None:
        self._parts = known.parts
        self._values = {value.metric: value.value for value in known.metrics if not value.labels}
        self._now = now
        self._blocks = can_draw(sys.stdout)

    def lines(self) -> Iterator[Line]:
        for one in (self._cpu, self._memory, self._load, self._disks, self._network, self._clock, self._people,
                    self._units, self._checks, self._heat, self._faults, self._processes):  # fmt: skip
            yield from one()

    def _bar(self, percent: float, words: str) -> str:
        return f"{bar(percent, _BAR, blocks=self._blocks)} {percent:5.1f}%  {words}".rstrip()

    def _cpu(self) -> Iterator[Line]:
        values = self._values
        if "cpu.percent" in values:
            modes = [
                f"{mode} {values[f'cpu.{mode}_percent']:.1f}%"
                for mode in ("user", "system", "iowait", "steal")
                if values.get(f"cpu.{mode}_percent", 0.0) >= 0.1
            ]
            yield "cpu", self._bar(values["cpu.percent"], ", ".join(modes))

    def _memory(self) -> Iterator[Line]:
        values = self._values
        if "memory.percent" in values:
            total, available = values.get("memory.total_bytes", 0.0), values.get("memory.available_bytes", 0.0)
            words = f"{quantity(total - available, 'bytes')} of {quantity(total, 'bytes')}" if total else ""
            yield "memory", self._bar(values["memory.percent"], words)
        if values.get("swap.percent"):
            words = f"{quantity(values.get('swap.used_bytes', 0.0), 'bytes')}"
            yield "swap", self._bar(values["swap.percent"], words)

    def _load(self) -> Iterator[Line]:
        values = self._values
        if "load.1m" in values:
            three = " ".join(f"{values.get(f'load.{minutes}m', 0.0):.2f}" for minutes in (1, 5, 15))
            each = f", {values['load.1m_per_cpu']:.2f} per CPU" if "load.1m_per_cpu" in values else ""
            yield "load", three + each

    def _disks(self) -> Iterator[Line]:
        for one in self._parts["filesystems"]:
            label = f"disk {one['mountpoint']}"
            if one["state"] != "ok" or one["used_percent"] is None:
                yield label, one["state"] if one["state"] != "ok" else "no value"
                continue
            left = (
                f"{quantity(one['available_bytes'] or 0, 'bytes')} left of {quantity(one['total_bytes'] or 0, 'bytes')}"
            )
            yield label, self._bar(one["used_percent"], left + (", read-only" if one["read_only"] else ""))

    def _network(self) -> Iterator[Line]:
        for one in self._parts["interfaces"]:
            if one["interface"] == "lo":
                continue
            rates = [
                f"{way} {quantity(one[f'{column}_bytes_per_second'], 'bytes per second')}"
                for way, column in (("in", "receive"), ("out", "transmit"))
                if one[f"{column}_bytes_per_second"] is not None
            ]
            addresses = [
                f"{address['address']}/{address['prefix']}"
                for address in self._parts["addresses"]
                if address["interface"] == one["interface"] and not address["address"].startswith("fe80:")
            ]
            words = [*(["link down"] if one["link"] == "down" else []), *rates, *addresses]
            yield f"net {one['interface']}", ", ".join(words) or f"link {one['link']}"

    def _clock(self) -> Iterator[Line]:
        offset = self._values.get("clock.offset_seconds")
        if offset is not None:
            error = self._values.get("clock.error_seconds")
            bound = f", true to {figures(error)}s" if error is not None else ""
            yield "clock", f"{figures(abs(offset))}s {'ahead' if offset > 0 else 'behind'}{bound}"

    def _people(self) -> Iterator[Line]:
        people = self._parts["people"]
        if people:
            yield "people", "; ".join(map(_person, people[:_MANY])) + _more(people)
        if self._values.get("reboot.pending"):
            yield "reboot", "pending"

    def _units(self) -> Iterator[Line]:
        units = self._parts["units"]
        failed = [one["unit"] for one in units if one["active"] == "failed"]
        if failed:
            yield "units", f"{len(failed)} failed: {', '.join(failed[:_MANY])}{_more(failed)}"
        elif any(one["section"] == "units" and one["status"] == "ok" for one in self._parts["sections"]):
            yield "units", "none failed"

    def _checks(self) -> Iterator[Line]:
        checks = self._parts["checks"]
        bad = [one for one in checks if one["status"]]
        if checks:
            yield "checks", f"{len(checks) - len(bad)} of {len(checks)} ok"
        for one in bad:
            word = _CHECK_WORDS[one["status"]] if 0 <= one["status"] < len(_CHECK_WORDS) else "UNKNOWN"
            yield f"check {one['name']}", f"{word}: {one['output']}"

    def _series(self, metric: str) -> list[Record]:
        """The newest values: of a sensor that is gone the last one is older than those of the others."""
        found = [one for one in self._parts["series"] if one["metric"] == metric and one["value"] is not None]
        newest = max((one["read_ms"] for one in found), default=0)
        return [one for one in found if one["read_ms"] == newest]

    def _heat(self) -> Iterator[Line]:
        hottest = sorted(self._series("hardware.celsius"), key=lambda one: -one["value"])
        if hottest:
            words = ", ".join(f"{one['label']} {one['value']:.0f} C" for one in hottest[:3])
            yield "heat", words + (f" and {len(hottest) - 3} more" if len(hottest) > 3 else "")

    def _faults(self) -> Iterator[Line]:
        missing = [one for one in self._series("raid.missing_disks") if one["value"]]
        if missing:
            yield "raid", ", ".join(f"{one['label']} lacks {one['value']:.0f}" for one in missing)
        faults = self._values.get("hardware.faults")
        if faults:
            yield "faults", f"{faults:.0f} since the poll before"

    def _processes(self) -> Iterator[Line]:
        processes = self._parts["processes"]
        if processes:
            yield "busiest", "; ".join(map(_process, processes[:3]))
            largest = sorted(processes, key=lambda one: -one["memory_bytes"])[:3]
            yield "largest", "; ".join(map(_process, largest))


def _more(rows: Any) -> str:
    return f" and {len(rows) - _MANY} more" if len(rows) > _MANY else ""


def _person(row: Record) -> str:
    source = f" from {row['source']}" if row["source"] else ""
    return f"{row['account']} on {row['terminal']}{source} since {shown(row['since_ms'])[:16]}"


def _process(row: Record) -> str:
    cpu = "" if row["cpu_percent"] is None else f"{row['cpu_percent']:.0f}% of a core, "
    return f"{row['name']}[{row['pid']}] {cpu}{quantity(row['memory_bytes'], 'bytes')}"

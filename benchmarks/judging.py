"""CPU of judging: 1,000 hosts by 20 rules each, thresholds and texts mixed, and comparing with what was known before.

Each host gives about a hundred numbers, has alerts open, and a past for the rules that look back. The verdicts of
two rounds are made: the first opens alerts, the second, which is measured, finds them open, and some of them over.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from benchmarks.measure import Row, spread
from poller.alerts import compare
from poller.metrics import CATALOGUE, OWN
from poller.model import (
    AlertMemory,
    AnyRule,
    History,
    Hold,
    LogLine,
    MetricValue,
    Rule,
    Severity,
    Sight,
    Threshold,
    World,
)
from poller.rules import judge
from poller.rules.language import parse

HOSTS = 1000
NOW_MS = 1_800_000_000_000
_MINUTE_MS = 60_000
_LABELS = {
    "mountpoint": ("/", "/boot", "/home", "/srv", "/var"),
    "interface": ("eth0", "lo"),
    "device": ("sda", "sdb"),
    "sensor": ("cpu", "board"),
}
_THRESHOLDS = (
    Threshold("cpu.percent", above=90, clear=75, hold=Hold(180.0), severity=Severity.HIGH),
    Threshold("cpu.percent", above=80),
    Threshold("memory.percent", above=90, clear=85),
    Threshold("swap.percent", above=50),
    Threshold("disk.percent", above=95, severity=Severity.HIGH),
    Threshold("disk.percent", (("mountpoint", "/var*"),), above=85, clear=80),
    Threshold("disk.inodes_percent", above=90),
    Threshold("disk.stuck", above=0),
    Threshold("block.busy_percent", above=95, hold=Hold(polls=3)),
    Threshold("host.down", above=0, severity=Severity.HIGH),
)
_TEXTS = (
    "cpu.percent > 90 and load.1m_per_cpu > 2",
    'disk.percent{mountpoint="/var"} > 90% or disk.available_bytes{mountpoint="/var"} < 1GiB',
    "any(disk.inodes_percent > 95)",
    "memory.available_bytes / memory.total_bytes < 0.05 and swap.percent > 20",
    "count(network.up == 0) >= 1 and not reboot.pending == 1",
    "avg(cpu.percent, 10m) > 90",
    "max(disk.percent) - min(disk.percent) > 99",
    'count(log{name="auth", match="Failed password .* from (?P<source>\\S+)"}, 10m) by source >= 5',
    'count(event{kind="usb_attached"}, 1h) >= 3',
    "network.receive_errors_per_second + network.transmit_errors_per_second > 10",
)


def rows(runs: int) -> Iterator[Row]:
    """One figure for each run."""
    seconds = [_round() for _ in range(runs)]
    hosts = f"{HOSTS:,} hosts judged by 20 rules and compared"
    yield Row(hosts, f"CPU seconds: {spread(seconds)}", tuple(seconds), 0.5, "s")


def rules() -> tuple[AnyRule, ...]:
    """Ten thresholds, ten texts."""
    return _THRESHOLDS + tuple(Rule(f"rule{number}", parse(text), text) for number, text in enumerate(_TEXTS))


def _round() -> float:
    """Seconds of CPU of a round that finds alerts of the one before."""
    judged, ids = rules(), count()
    memories = [_judge(number, judged, world(number), AlertMemory(), ids) for number in range(HOSTS)]
    if not any(memory.open for memory in memories):
        raise RuntimeError("nothing was breached: this measures too little")
    seconds = 0.0
    for number, memory in enumerate(memories):
        now = replace(world(number + 1), now_ms=NOW_MS + _MINUTE_MS)
        began = time.process_time()
        _judge(number, judged, now, memory, ids)
        seconds += time.process_time() - began
    return seconds


def _judge(number: int, judged: Sequence[AnyRule], one: World, memory: AlertMemory, ids: Iterator[int]) -> AlertMemory:
    verdicts = judge(judged, one)
    if len(verdicts) < len(judged):
        raise RuntimeError(f"{len(verdicts)} verdicts of {len(judged)} rules")
    done = compare(f"host{number}", verdicts, memory, judged, one.now_ms, lambda: str(next(ids)))
    return AlertMemory(done.states, done.open, done.flaps, _MINUTE_MS)


def world(number: int) -> World:
    """What a host of that number shows: every twentieth is in some trouble."""
    trouble = number % 20 == 0
    values = tuple(_values(number, trouble))
    sections = frozenset(metric.section for metric in CATALOGUE.values() if metric.section)
    labels = frozenset(pair for value in values for pair in value.labels)
    cpu = [(NOW_MS - minute * _MINUTE_MS, 20.0 + minute % 7) for minute in range(10, 0, -1)]
    return World(
        NOW_MS, values, Sight(sections, labels), tuple(_lines(trouble)), (), History({("cpu.percent", ()): cpu})
    )


def _values(number: int, trouble: bool) -> Iterator[MetricValue]:
    """About a hundred; half of a host in trouble is full."""
    for metric in CATALOGUE.values():
        if metric.name.startswith((OWN, "cpu.core", "pressure", "tcp", "udp", "ping", "block.read", "block.write")):
            continue
        full = 97.0 if trouble and number % 40 == 0 else 10.0 + number % 50
        value = full if metric.unit == "percent" else float(metric.name.endswith(".up"))
        value = 2.0**33 if metric.unit.startswith("bytes") else value
        for label in _LABELS.get(metric.label, ()) if metric.label else ("",):
            yield MetricValue(metric.name, value, ((metric.label, label),) if label else ())
    yield MetricValue("log.readable", 1.0, (("log", "auth"),))


def _lines(trouble: bool) -> Iterator[LogLine]:
    """A few of each poll, and of a host in trouble a guess at its password."""
    for number in range(5):
        text = f"Failed password for root from 192.0.2.{number % 2} port 22 ssh2" if trouble else "Accepted publickey"
        yield LogLine("auth", "/var/log/auth.log", NOW_MS, "sshd", 7, 6, Severity.LOW, 3, False, text)

"""The readers of /proc and /sys against psutil, on the machine the tests run on.

Each of our numbers lies between two readings of psutil around it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import psutil

from poller.model import (
    Address,
    BlockDevice,
    CpuTimes,
    FileSystem,
    Interface,
    LoadAverage,
    Memory,
    Processes,
    Report,
    System,
)
from poller.probe.report import parse
from remote_probe.__main__ import report
from remote_probe.collectors import NAMES
from remote_probe.host import Host

TICK = 0.011  # seconds; the kernel counts CPU time in hundredths
PAGES = 64 << 20  # bytes that come and go between two looks at the memory of a busy machine


class Wanted:
    host = "local"
    probe = "0" * 64


def seen() -> Report:
    return parse(report(Host(), NAMES), Wanted())


def around(oracle: Callable[[], Any]) -> tuple[Any, Report, Any]:
    before = oracle()
    found = seen()
    return before, found, oracle()


def test_every_section_of_this_machine_can_be_read() -> None:
    statuses = {section.name: section.status.value for section in seen().now.sections}
    statuses.pop("pressure"), statuses.pop("block")  # not every kernel has them
    assert set(statuses.values()) == {"ok"}


def test_cpu_times() -> None:
    before, found, after = around(lambda: (psutil.cpu_times(), *psutil.cpu_times(percpu=True)))
    rows = [row for row in found.now.rows(CpuTimes) if isinstance(row, CpuTimes)]
    assert [row.core for row in rows] == ["all", *(str(core) for core in range(len(rows) - 1))]
    for low, row, high in zip(before, rows, after, strict=True):
        for mode in ("user", "nice", "system", "irq", "softirq", "steal", "guest"):
            assert getattr(low, mode) - TICK <= getattr(row, mode) <= getattr(high, mode) + TICK


def test_memory_and_swap() -> None:
    (low, swap), found, (high, _) = around(lambda: (psutil.virtual_memory(), psutil.swap_memory()))
    (row,) = found.now.rows(Memory)
    assert isinstance(row, Memory)
    assert row.total == low.total
    for name in ("available", "free", "buffers", "slab"):
        ends = sorted((getattr(low, name), getattr(high, name)))
        assert ends[0] - PAGES <= getattr(row, name) <= ends[1] + PAGES, name
    assert row.swap_total == swap.total
    assert row.swapped_in >= swap.sin and row.swapped_out >= swap.sout


def test_load_uptime_and_clock() -> None:
    (low, boot, clock), found, (high, _, later) = around(lambda: (psutil.getloadavg(), psutil.boot_time(), time.time()))
    (row,) = found.now.rows(LoadAverage)
    assert isinstance(row, LoadAverage)
    for value, *ends in zip((row.one, row.five, row.fifteen), low, high, strict=True):
        assert min(ends) - 0.02 <= value <= max(ends) + 0.02  # one rounds, the other cuts off
    assert clock <= found.now.clock <= later
    assert abs(found.now.clock - found.now.uptime - boot) < 2


def test_names_and_cpus() -> None:
    (row,) = seen().now.rows(System)
    assert isinstance(row, System)
    assert row.hostname == socket.gethostname()
    assert row.cpus == psutil.cpu_count()
    assert row.kernel == "Linux"


def test_file_systems() -> None:
    found = {row.mountpoint: row for row in seen().now.rows(FileSystem) if isinstance(row, FileSystem)}
    assert "/" in found
    for mountpoint, row in found.items():
        if row.state == "ok":
            usage = psutil.disk_usage(mountpoint)
            assert row.total == usage.total
            assert abs(row.used - usage.used) < 1 << 30
            assert abs(100 * row.used / (row.used + row.available) - usage.percent) < 1


def test_disks() -> None:
    before, found, after = around(lambda: psutil.disk_io_counters(perdisk=True))
    for row in found.now.rows(BlockDevice):
        assert isinstance(row, BlockDevice)
        low, high = before[row.device], after[row.device]
        assert low.read_bytes <= row.read_bytes <= high.read_bytes
        assert low.write_bytes <= row.write_bytes <= high.write_bytes
        assert low.read_count <= row.reads <= high.read_count
        assert low.write_time <= row.write_seconds * 1000 + 1 and row.write_seconds * 1000 <= high.write_time + 1
        assert low.busy_time <= row.busy_seconds * 1000 + 1 and row.busy_seconds * 1000 <= high.busy_time + 1


def test_interfaces() -> None:
    before, found, after = around(lambda: psutil.net_io_counters(pernic=True, nowrap=False))
    rows = [row for row in found.now.rows(Interface) if isinstance(row, Interface)]
    assert [row.interface for row in rows] == list(before)
    state = psutil.net_if_stats()
    for row in rows:
        low, high = before[row.interface], after[row.interface]
        assert low.bytes_recv <= row.receive_bytes <= high.bytes_recv
        assert low.packets_sent <= row.transmit_packets <= high.packets_sent
        assert low.dropin <= row.receive_dropped <= high.dropin
        assert row.mtu == state[row.interface].mtu


def test_addresses() -> None:
    families = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
    wanted = {
        (name, families[address.family], address.address.split("%")[0])
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family in families
    }
    rows = [row for row in seen().now.rows(Address) if isinstance(row, Address)]
    assert {(row.interface, row.family, row.address) for row in rows} == wanted
    assert ("lo", "inet", "127.0.0.1", 8) in {(row.interface, row.family, row.address, row.prefix) for row in rows}


def test_processes() -> None:
    low, found, high = around(lambda: len(psutil.pids()))
    (row,) = found.now.rows(Processes)
    assert isinstance(row, Processes)
    assert min(low, high) - 20 <= row.total <= max(low, high) + 20
    assert row.running >= 1  # the one that counts
    parts = row.running + row.sleeping + row.uninterruptible + row.zombie + row.stopped + row.idle
    assert row.total - 5 <= parts <= row.total

"""The readers of /proc and /sys against psutil, on the machine the tests run on.

Each of our numbers lies between two readings of psutil around it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from poller.model import (
    Address,
    BlockDevice,
    CpuTimes,
    FileSystem,
    Interface,
    Listener,
    LoadAverage,
    Login,
    Memory,
    Mount,
    People,
    Process,
    Processes,
    Protocols,
    Report,
    Sensor,
    Socket,
    SocketCount,
    System,
)
from poller.probe.report import parse
from remote_probe.__main__ import report
from remote_probe.collectors import NAMES
from remote_probe.host import Host
from tests.remote_probe.test_render import restored

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
    everywhere = ("system", "cpu", "memory", "load", "filesystem", "network", "processes", "mounts", "sockets", "top")
    assert {name: statuses[name] for name in everywhere} == dict.fromkeys(everywhere, "ok")
    assert set(statuses.values()) <= {"ok", "absent", "denied"}, "no collector fails here"


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
            if row.used + row.available:
                assert abs(100 * row.used / (row.used + row.available) - usage.percent) < 1


def test_disks() -> None:
    before, found, after = around(lambda: psutil.disk_io_counters(perdisk=True))
    rows = [row for row in found.now.rows(BlockDevice) if isinstance(row, BlockDevice)]
    steady = [row for row in rows if row.device in before and row.device in after]  # not what is plugged in just now
    for row in steady:
        low, high = before[row.device], after[row.device]
        assert low.read_bytes <= row.read_bytes <= high.read_bytes
        assert low.write_bytes <= row.write_bytes <= high.write_bytes
        assert low.read_count <= row.reads <= high.read_count
        assert low.write_time <= row.write_seconds * 1000 + 1 and row.write_seconds * 1000 <= high.write_time + 1
        assert low.busy_time <= row.busy_seconds * 1000 + 1 and row.busy_seconds * 1000 <= high.busy_time + 1


def test_interfaces() -> None:
    before, found, after = around(lambda: psutil.net_io_counters(pernic=True, nowrap=False))
    rows = [row for row in found.now.rows(Interface) if isinstance(row, Interface)]
    steady = [name for name in before if name in after]  # not what another makes or takes away just now
    rows = [row for row in rows if row.interface in steady]
    assert [row.interface for row in rows] == steady
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


def test_mounts() -> None:
    before, found, after = around(lambda: {part.mountpoint for part in psutil.disk_partitions(all=True)})
    mounts = {restored(row.mountpoint).decode("utf-8", "surrogateescape") for row in found.now.rows(Mount)}  # type: ignore[union-attr]
    assert mounts <= before | after
    real = {part.mountpoint for part in psutil.disk_partitions(all=False)}
    assert real & before & after <= mounts


def test_sockets() -> None:
    """Those that both readings of psutil have: all of them are listed, with state and user where that is told."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        before, found, after = around(lambda: {_ends(one): one for one in psutil.net_connections("inet")})
        here = client.getsockname()
    rows = {
        (row.local_address, row.local_port, row.remote_address, row.remote_port): row
        for row in found.now.rows(Socket)
        if isinstance(row, Socket)
    }
    there = (*here, *server_name(found, here))
    assert rows[there].state == "ESTABLISHED"
    assert rows[there].process, "ours is known by name"
    steady = [ends for ends in before if ends in after and ends[3] and before[ends].status == after[ends].status]
    if sum(count.count for count in found.now.rows(SocketCount) if isinstance(count, SocketCount)) < 900:
        assert [ends for ends in steady if before[ends].status == "ESTABLISHED" and ends not in rows] == []
    listening = {(row.protocol, row.address, row.port) for row in found.now.rows(Listener) if isinstance(row, Listener)}
    for ends in set(before) & set(after):
        if before[ends].status == "LISTEN":
            assert ("tcp", *ends[:2]) in listening


def _ends(one: Any) -> tuple[str, int, str, int]:
    remote = one.raddr or ("", 0)
    return _plain(one.laddr[0]), one.laddr[1], _plain(remote[0]), remote[1]


def _plain(address: str) -> str:
    """IPv4 in the clothes of IPv6 is IPv4."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def server_name(found: Report, here: tuple[str, int]) -> tuple[str, int]:
    """The other end of the connection that begins there."""
    rows = (row for row in found.now.rows(Socket) if isinstance(row, Socket))
    return next((row.remote_address, row.remote_port) for row in rows if (row.local_address, row.local_port) == here)


def test_the_kernels_counts_of_connections() -> None:
    before, found, after = around(lambda: [Path(f"/proc/net/{name}").read_text() for name in ("snmp", "netstat")])
    (row,) = found.now.rows(Protocols)
    assert isinstance(row, Protocols)
    for field, (group, name) in {"active_opens": ("Tcp", "ActiveOpens"), "passive_opens": ("Tcp", "PassiveOpens"),
                                 "retransmits": ("Tcp", "RetransSegs"), "listen_drops": ("TcpExt", "ListenDrops"),
                                 "syncookies": ("TcpExt", "SyncookiesSent")}.items():  # fmt: skip
        assert _counter(before, group, name) <= getattr(row, field) <= _counter(after, group, name)


def _counter(texts: list[str], group: str, name: str) -> int:
    lines = [line.split() for text in texts for line in text.splitlines() if line.startswith(f"{group}: ")]
    return int(dict(zip(lines[0], lines[1], strict=True))[name])


def test_the_processes_that_are_listed() -> None:
    found = parse(report(Host(options={"top": {"count": 5, "names": ["python3"]}}), ["top"]), Wanted())
    rows = [row for row in found.now.rows(Process) if isinstance(row, Process)]
    assert len(rows) >= 1
    compared = 0
    for row in rows:
        try:
            process = psutil.Process(row.pid)
            with process.oneshot():
                name, times, uid, started = process.name(), process.cpu_times(), process.uids(), process.create_time()
        except psutil.NoSuchProcess:
            continue  # ended since
        said = restored(row.name).decode("utf-8", "surrogateescape")
        # A kernel worker takes the name of what it works on behind its own: kworker/1:0-events, kworker/u4:2+events.
        assert name.startswith(re.split("[-+]", said)[0] if said.startswith("kworker/") else said)
        assert row.uid == uid.effective
        assert abs(started - psutil.boot_time() - row.started) < 2
        assert row.cpu <= times.user + times.system + TICK
        compared += 1
    assert compared >= len(rows) // 2
    others = [one for one in psutil.process_iter(["cpu_times"]) if one.pid not in Host().session()]
    busiest = max(others, key=lambda one: sum((one.info["cpu_times"] or (0, 0))[:2]))
    assert busiest.pid in {row.pid for row in rows}


def test_who_is_logged_in_and_since_when_it_runs() -> None:
    found = parse(report(Host(), ["people"]), Wanted())
    (row,) = found.now.rows(People)
    assert isinstance(row, People)
    assert abs(row.booted - psutil.boot_time()) <= 1
    logins = {(one.user, one.terminal) for one in found.now.rows(Login) if isinstance(one, Login)}
    assert logins <= {(user.name, user.terminal) for user in psutil.users()} or row.source == "logind"


def test_temperatures() -> None:
    chips = psutil.sensors_temperatures()
    found = parse(report(Host(), ["hardware"]), Wanted())
    assert len(found.now.rows(Sensor)) >= min(1, len(chips))

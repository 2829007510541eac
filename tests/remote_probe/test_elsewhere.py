"""Hosts without /proc: forced here, on a machine that has one, so that what psutil tells can be held against it."""

from __future__ import annotations

import os
import site
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from poller.model import (
    Address,
    BlockDevice,
    CpuTimes,
    FileSystem,
    Interface,
    Listener,
    LoadAverage,
    Memory,
    Mount,
    People,
    Processes,
    Report,
    SocketCount,
    System,
)
from poller.model import Socket as Connected
from poller.probe.payload import build
from poller.probe.report import parse
from remote_probe.__main__ import report
from remote_probe.collectors import ELSEWHERE, elsewhere
from remote_probe.host import Host
from tests.remote_probe.farside import asking, running
from tests.remote_probe.test_oracle import PAGES, Wanted

Kind = TypeVar("Kind")
FORCED = {"elsewhere": True}


def seen(host: Host, *sections: str) -> Report:
    return parse(report(host, sections or ELSEWHERE), Wanted())


def both(kind: type[Kind]) -> tuple[list[Kind], list[Kind]]:
    """The rows of /proc, and those of psutil."""
    return rows_of(kind, {}), rows_of(kind, FORCED)


def rows_of(kind: type[Kind], options: dict[str, bool]) -> list[Kind]:
    sections = seen(Host(options=options)).now.sections
    return [row for section in sections for row in section.rows if isinstance(row, kind)]


def test_every_section_it_promises_can_be_read() -> None:
    found = seen(Host(options=FORCED)).now
    assert [section.name for section in found.sections] == list(ELSEWHERE)
    assert {str(section.status) for section in found.sections} == {"ok"}


def test_uptime_goes_with_the_kernels_and_each_boot_has_an_id() -> None:
    usual, other = seen(Host(), "load").now, seen(Host(options=FORCED), "load").now
    assert abs(usual.uptime - other.uptime) < 2
    assert other.boot_id.startswith("boot-")
    assert seen(Host(options=FORCED), "load").now.boot_id == other.boot_id


def test_names_are_the_same() -> None:
    (usual,), (other,) = both(System)
    assert usual == other


def test_cpu_times_are_the_same() -> None:
    usual, other = both(CpuTimes)
    assert [row.core for row in usual] == [row.core for row in other]
    for one, two in zip(usual, other, strict=True):
        for mode in ("user", "nice", "system", "irq", "softirq", "steal"):
            assert abs(getattr(one, mode) - getattr(two, mode)) < 5


def test_memory_and_load_are_the_same() -> None:
    (usual,), (other,) = both(Memory)
    assert (usual.total, usual.swap_total) == (other.total, other.swap_total)
    for name in ("available", "free", "buffers", "slab"):
        assert abs(getattr(usual, name) - getattr(other, name)) < 4 * PAGES
    (load,), (loaded,) = both(LoadAverage)
    assert abs(load.five - loaded.five) < 1


def test_the_root_is_mounted_and_as_large_as_it_is() -> None:
    usual, other = ({row.mountpoint: row for row in rows}["/"] for rows in both(FileSystem))
    assert (usual.type, usual.state, usual.total, usual.inodes) == (other.type, other.state, other.total, other.inodes)
    mount, mounted = ({row.mountpoint: row for row in rows}["/"] for rows in both(Mount))
    assert (mount.device, mount.type, mount.root) == (mounted.device, mounted.type, mounted.root)


def test_disks_count_the_same() -> None:
    usual, other = ({row.device: row for row in rows} for rows in both(BlockDevice))
    assert set(usual) <= set(other)
    for name, row in usual.items():
        assert 0 <= other[name].reads - row.reads < 10_000


def test_interfaces_and_addresses_are_the_same() -> None:
    usual, other = both(Interface)
    assert {row.interface: (row.mac, row.mtu) for row in usual} == {row.interface: (row.mac, row.mtu) for row in other}
    assert {row.interface for row in other if row.link == "up"} >= {row.interface for row in usual if row.link == "up"}
    addresses, found = both(Address)
    assert set(addresses) == set(found)


def test_sockets_are_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        usual, other = both(Listener)
        port = server.getsockname()[1]
        mine = next(row for row in other if row.port == port)
        assert mine == replace(next(row for row in usual if row.port == port), process=mine.process)
        assert mine.uid == os.getuid()
        usual_ends, ends = (
            {(row.local_port, row.remote_port, row.state) for row in rows if port in (row.local_port, row.remote_port)}
            for rows in both(Connected)
        )
        assert ends == usual_ends
        assert (client.getsockname()[1], port, "ESTABLISHED") in ends
        assert ("tcp", "ESTABLISHED") in {(row.protocol, row.state) for row in both(SocketCount)[1]}


def test_the_pollers_own_connection_is_left_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        ends = f"127.0.0.1 {client.getsockname()[1]} 127.0.0.1 {server.getsockname()[1]}"
        code = "from tests.remote_probe.test_elsewhere import ports; print(*ports())"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "SSH_CONNECTION": ends},
            capture_output=True,
            text=True,
            check=True,
        )
    seen_ports = set(map(int, done.stdout.split()))
    assert not seen_ports & set(map(int, ends.split()[1::2]))


def ports() -> set[int]:
    """The ports of all connections."""
    return {port for row in rows_of(Connected, FORCED) for port in (row.local_port, row.remote_port)}


def test_people_and_processes_are_told() -> None:
    (_,), (people,) = both(People)
    assert (people.source, people.cursor) == ("utmp", "") and people.booted > 0
    (usual,), (other,) = both(Processes)
    assert abs(usual.total - other.total) < 50
    assert other.total >= other.running + other.sleeping >= 1


WITHOUT = "import sys; sys.modules['psutil'] = None; from remote_probe.__main__ import main; sys.exit(main({}))"


def test_without_psutil_every_section_says_what_to_install() -> None:
    code = WITHOUT.format(["--elsewhere", *ELSEWHERE])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    found = parse(done.stdout, Wanted()).now
    reason = f"there is no /proc here; install psutil for Python {sys.version_info[0]}.{sys.version_info[1]}"
    assert {(str(section.status), section.reason) for section in found.sections} == {("absent", reason)}
    assert (found.uptime, found.boot_id) == (0.0, "unknown")


def test_the_probe_finds_psutil_although_it_runs_without_packages(tmp_path: Path) -> None:
    payload = build(["cpu", "load"], elsewhere=True)
    request = asking(payload, options=FORCED)
    with running(tmp_path) as probe:
        probe.send(payload.data + request.frame)
        found = probe.report(request)
        assert probe.end() == (0, b"")
    assert found.now.boot_id.startswith("boot-")
    assert [len(section.rows) > 0 for section in found.now.sections] == [True, True]


def test_a_machine_with_proc_is_never_read_this_way() -> None:
    assert not Host().elsewhere
    assert not Host(b"/nowhere").elsewhere, "a captured machine without /proc is not this one"


def test_a_users_own_packages_are_not_for_root() -> None:
    own = site.getusersitepackages()
    assert own not in elsewhere.packages(root=True)
    assert own in elsewhere.packages(root=False)

"""The machine that the poller runs on: cores, memory, what one process may have; and what a daemon used so far."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from poller.capacity import Machine

_PROC: Final = Path("/proc")
_CGROUPS: Final = Path("/sys/fs/cgroup")


def machine(journal: Path) -> Machine:
    """As this process may use it: its CPUs (sched_setaffinity(2)), its limits, the disk of the journal."""
    from poller.capacity import Machine
    from poller.store.room import room

    low, high = _numbers("sys/net/ipv4/ip_local_port_range") or (32_768, 60_999)
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=_least(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "memory.max"),
        files=_limit(resource.RLIMIT_NOFILE),
        threads=_threads(),
        ports=high - low + 1,
        disk_bytes=float(room(journal).free_bytes + _size(journal)),
    )


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of CPU, and bytes of memory, by so many processes."""

    seconds: float = 0.0
    bytes: int = 0
    processes: int = 0


def used(pid: int) -> Used:
    """Of a process and all below it (proc(5)); nothing of what cannot be read."""
    found = Used()
    for one in _tree(pid):
        with suppress(OSError, ValueError, IndexError):
            fields = (_PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
            seconds = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            found = Used(found.seconds + seconds, found.bytes + _size_of(one), found.processes + 1)
    return found


def _size_of(pid: int) -> int:
    """Its share of the memory it is in (PSS), so that what several processes have in common counts once."""
    lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in (_PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text().split():
                yield from _tree(int(child))


def _threads() -> int:
    """The least of what the kernel, the account and the control group allow."""
    known = [_limit(resource.RLIMIT_NPROC)]
    for name in ("sys/kernel/threads-max", "sys/kernel/pid_max"):
        known += _numbers(name)
    return int(_least(min(known), "pids.max"))


def _least(value: float, name: str) -> float:
    """`value`, or less where a control group of ours says so (cgroup v2)."""
    with suppress(OSError, IndexError):
        group = (_PROC / "self/cgroup").read_text().splitlines()[-1].rpartition(":")[2]
        for folder in (_CGROUPS / group.lstrip("/"), *(_CGROUPS / group.lstrip("/")).parents):
            with suppress(OSError, ValueError):
                value = min(value, float((folder / name).read_text()))
    return value


def _limit(which: int) -> int:
    """What may be had after raising it oneself."""
    hard = resource.getrlimit(which)[1]
    return hard if hard != resource.RLIM_INFINITY else 1 << 30


def _numbers(name: str) -> tuple[int, ...]:
    with suppress(OSError, ValueError):
        return tuple(map(int, (_PROC / name).read_text().split()))
    return ()


def _size(journal: Path) -> int:
    """What it takes already is room for it, too."""
    with suppress(OSError):
        return journal.stat().st_size
    return 0

"""What a process that goes on has used so far: CPU and memory, of it and all below it, from /proc (proc(5))."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Seconds of user and system time of the process, its children that were waited for, and those that live.

    The living ones keep their own waited-for children, so each second counts once. In ticks of 10 ms: for windows of
    many seconds.
    """
    return sum(_own(one) for one in tree(pid))


def _own(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS  # utime, stime, cutime, cstime


def tree(pid: int) -> Iterator[int]:
    """The process and everything below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in below:
            yield from tree(int(child))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: resident, and the proportional share of what is mapped by several (PSS). 0 for a process that is gone."""

    rss: int
    pss: int

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss)


def memory(pid: int) -> Memory:
    """Of that process alone (smaps_rollup)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return Memory(0, 0)
    found = {line.split()[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
    return Memory(found.get("Rss:", 0), found.get("Pss:", 0))


def memory_of_all(pid: int) -> Memory:
    """Of it and everything below it. Their PSS add up; their RSS count shared pages several times."""
    return sum(map(memory, tree(pid)), Memory(0, 0))


def clock(pid: int) -> float:
    """Seconds of CPU of one process, its ended threads included, to the nanosecond; none of its children.

    The clock of clock_getcpuclockid(3), whose number the kernel makes from the process's (posix-timers_types.h:
    CPUCLOCK_SCHED).
    """
    return time.clock_gettime(~pid << 3 | 2)

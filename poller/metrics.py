"""The catalogue: every number the poller knows, what it means, where it comes from and where it is stored.

Documentation, command line, `check-config` and the archive read this one table. A metric has at most one
label, which is also the natural key of the inventory its sample table points to.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """`unit` is a base unit. `table`.`column` is where it is stored ("" when another column already says it).

    `section` is the part of the report it needs; "" when the poll itself gives it.
    """

    name: str
    unit: str
    section: str
    table: str
    column: str
    source: str
    sentence: str
    label: str = ""
    higher_is_worse: bool = True

    @property
    def signature(self) -> str:
        return f"{self.name}{{{self.label}}}" if self.label else self.name


# The numbers of the poller itself begin so; they are judged under the name `poller`, no host has them.
OWN: Final = "poller."

# table -> (label of its metrics, inventory table, key column of the inventory)
SAMPLE_TABLES: Final[dict[str, tuple[str, str, str]]] = {
    "system_sample": ("", "host", "name"),
    "core_sample": ("core", "core", "core"),
    "filesystem_sample": ("mountpoint", "filesystem", "mountpoint"),
    "disk_sample": ("device", "disk", "device"),
    "interface_sample": ("interface", "interface", "interface"),
}

_MODES: Final = {
    "user": "running programs (guests included)",
    "nice": "running programs of lowered priority",
    "system": "the kernel",
    "idle": "nothing",
    "iowait": "nothing, while a disk request was open",
    "irq": "hardware interrupts",
    "softirq": "soft interrupts",
    "steal": "waiting for the hypervisor",
    "guest": "virtual machines",
}


def _cpu() -> list[Metric]:
    stat = "/proc/stat, proc_stat(5)"
    total = [
        Metric("cpu.percent", "percent", "cpu", "system_sample", "cpu_percent", stat,
               "share of the time since the last poll in which the CPUs worked: all modes but idle and iowait"),
        *(Metric(f"cpu.{mode}_percent", "percent", "cpu", "system_sample", f"cpu_{mode}_percent", stat,
                 f"share of the CPUs' time spent on {what}", higher_is_worse=mode != "idle")
          for mode, what in _MODES.items()),
        Metric("cpu.count", "count", "system", "system_sample", "cpu_count", stat, "CPUs that are online"),
    ]  # fmt: skip
    cores = [
        Metric("cpu.core_percent", "percent", "cpu", "core_sample", "percent", stat,
               "share of the time in which this core worked", "core"),
        *(Metric(f"cpu.core_{mode}_percent", "percent", "cpu", "core_sample", f"{mode}_percent", stat,
                 f"share of this core's time spent on {what}", "core", higher_is_worse=mode != "idle")
          for mode, what in _MODES.items()),
    ]  # fmt: skip
    return total + cores


def _memory() -> list[Metric]:
    meminfo = "/proc/meminfo, proc_meminfo(5)"
    sizes = {
        "total_bytes": "memory the kernel manages",
        "available_bytes": "memory programs can still get without swapping (MemAvailable)",
        "free_bytes": "memory not used for anything",
        "buffers_bytes": "block device cache",
        "cached_bytes": "page cache",
        "shared_bytes": "shared memory and tmpfs",
        "slab_bytes": "kernel structures",
        "dirty_bytes": "waiting to be written to disk",
    }
    return [
        Metric("memory.percent", "percent", "memory", "system_sample", "memory_percent", meminfo,
               "memory in use: what is not available (MemAvailable)"),
        *(Metric(f"memory.{name}", "bytes", "memory", "system_sample", f"memory_{name}", meminfo, what,
                 higher_is_worse=name in ("dirty_bytes", "slab_bytes", "shared_bytes"))
          for name, what in sizes.items()),
        Metric("swap.percent", "percent", "memory", "system_sample", "swap_percent", meminfo,
               "swap in use; 0 without swap"),
        Metric("swap.total_bytes", "bytes", "memory", "system_sample", "swap_total_bytes", meminfo, "swap there is"),
        Metric("swap.used_bytes", "bytes", "memory", "system_sample", "swap_used_bytes", meminfo, "swap in use"),
        Metric("swap.in_bytes_per_second", "bytes per second", "memory", "system_sample", "swap_in_bytes_per_second",
               "/proc/vmstat pswpin", "read back from swap"),
        Metric("swap.out_bytes_per_second", "bytes per second", "memory", "system_sample", "swap_out_bytes_per_second",
               "/proc/vmstat pswpout", "written out to swap"),
    ]  # fmt: skip


def _load() -> list[Metric]:
    source = "/proc/loadavg, proc_loadavg(5)"
    return [
        *(Metric(f"load.{minutes}m", "count", "load", "system_sample", f"load_{minutes}m", source,
                 f"runnable or uninterruptible tasks, average over {minutes} min") for minutes in (1, 5, 15)),
        Metric("load.1m_per_cpu", "count", "load", "system_sample", "load_1m_per_cpu", source, "load.1m / CPUs online"),
        Metric("uptime.seconds", "seconds", "", "system_sample", "uptime_seconds", "/proc/uptime, proc_uptime(5)",
               "time since boot", higher_is_worse=False),
    ]  # fmt: skip


def _filesystems() -> list[Metric]:
    source = "statvfs(3) per mount of /proc/self/mountinfo"

    def metric(name: str, unit: str, sentence: str, *, worse: bool = True) -> Metric:
        return Metric(
            f"disk.{name}", unit, "filesystem", "filesystem_sample", name, source, sentence, "mountpoint", worse
        )

    return [
        metric("percent", "percent", "space in use as df(1) shows it: used / (used + available)"),
        metric("total_bytes", "bytes", "size of the file system"),
        metric("used_bytes", "bytes", "space in use"),
        metric("available_bytes", "bytes", "space left for users other than root", worse=False),
        metric("inodes_percent", "percent", "inodes in use"),
        metric("inodes", "count", "inodes there are"),
        metric("inodes_free", "count", "inodes left", worse=False),
        metric("stuck", "0 or 1", "1 when the file system does not respond"),
        metric("read_only", "0 or 1", "1 when it is mounted read-only"),
    ]


def _disks() -> list[Metric]:
    source = "/sys/block/*/stat, Documentation/block/stat.rst"

    def metric(name: str, unit: str, sentence: str) -> Metric:
        return Metric(f"block.{name}", unit, "block", "disk_sample", name, source, sentence, "device")

    return [
        metric("read_bytes_per_second", "bytes per second", "read from the disk"),
        metric("write_bytes_per_second", "bytes per second", "written to the disk"),
        metric("reads_per_second", "per second", "read requests completed"),
        metric("writes_per_second", "per second", "write requests completed"),
        metric("busy_percent", "percent", "share of the time in which a request was in flight"),
        metric("read_seconds", "seconds", "average time of a read request, queue included"),
        metric("write_seconds", "seconds", "average time of a write request, queue included"),
    ]


def _interfaces() -> list[Metric]:
    source = "/proc/net/dev, proc_pid_net(5)"

    def metric(name: str, unit: str, sentence: str, *, worse: bool = True) -> Metric:
        return Metric(
            f"network.{name}", unit, "network", "interface_sample", name, source, sentence, "interface", worse
        )

    return [
        *(metric(f"{way}_{what}_per_second", "bytes per second" if what == "bytes" else "per second", f"{what} {done}")
          for way, done in (("receive", "received"), ("transmit", "sent"))
          for what in ("bytes", "packets", "errors", "dropped")),
        metric("up", "0 or 1", "1 when the link is up; none when unknown", worse=False),
    ]  # fmt: skip


def _processes() -> list[Metric]:
    states = {
        "total": "processes there are",
        "running": "processes running or ready to run",
        "sleeping": "processes waiting for an event",
        "uninterruptible": "processes in state D, mostly waiting for a disk",
        "zombie": "ended processes whose parent has not asked for their status",
        "stopped": "processes stopped or traced",
        "idle": "idle kernel threads",
    }
    return [
        Metric(f"processes.{name}", "count", "processes", "system_sample", f"processes_{name}",
               "/proc/*/stat, proc_pid_stat(5)", what) for name, what in states.items()
    ]  # fmt: skip


def _pressure() -> list[Metric]:
    return [
        Metric(f"pressure.{resource}_{kind}_percent", "percent", "pressure", "system_sample",
               f"pressure_{resource}_{kind}_percent", "/proc/pressure, Documentation/accounting/psi.rst",
               f"share of the time in which {who} waited for {resource}")
        for resource in ("cpu", "memory", "io")
        for kind, who in (("some", "at least one task"), ("full", "all tasks at once"))
        if (resource, kind) != ("cpu", "full")
    ]  # fmt: skip


def _poll() -> list[Metric]:
    return [
        Metric("clock.offset_seconds", "seconds", "", "system_sample", "clock_offset_seconds",
               "the host's clock beside the poller's at the middle of the talk",
               "how far the host's clock is ahead (+) or behind (-); true to about half of poll.seconds"),
        Metric("poll.seconds", "seconds", "", "", "", "the poll itself (table poll)", "how long the poll took"),
        Metric("host.down", "0 or 1", "", "", "", "the poll itself (table poll)",
               "1 when the host could not be polled"),
        Metric("host.security", "0 or 1", "", "", "", "the poll itself (table poll)",
               "1 when the poll ended as if somebody meddled: a changed host key, a report whose seal is broken"),
    ]  # fmt: skip


def _poller() -> list[Metric]:
    def metric(name: str, unit: str, source: str, sentence: str, *, worse: bool = True) -> Metric:
        return Metric(f"{OWN}{name}", unit, "", "", "", source, sentence, higher_is_worse=worse)

    return [
        metric("unreachable_percent", "percent", "a full round",
               "share of the hosts that answered lately which became unreachable; 0 for fewer than three such hosts"),
        metric("archive_away_seconds", "seconds", "table archive_state", "for so long the archive has not answered"),
        metric("backlog_polls", "count", "table outgoing", "polls that the archive does not have yet"),
        metric("journal_percent", "percent", "the journal file",
               "how much of bound= of <journal> is in use, while the archive is away"),
        metric("rejected_polls", "count", "table rejected", "what the archive refused for good"),
        metric("round_percent", "percent", "a full round", "seconds that it took / the shortest interval="),
        metric("clock_step_seconds", "seconds", "/proc/uptime, proc_uptime(5)",
               "how far the clock of the poller's machine was set since the round before"),
        metric("disk_free_percent", "percent", "statvfs(3)", "space left on the disk of the journal", worse=False),
    ]  # fmt: skip


CATALOGUE: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *_cpu(), *_load(), *_memory(), *_filesystems(), *_disks(), *_interfaces(), *_processes(), *_pressure(),
        *_poll(), *_poller(),
    )
}  # fmt: skip


def closest(name: str) -> str | None:
    """The metric that was probably meant, for "did you mean"."""
    return next(iter(difflib.get_close_matches(name, CATALOGUE, n=1)), None)


def columns(table: str) -> tuple[Metric, ...]:
    """The metrics stored in one sample table, in the order of its columns."""
    return tuple(metric for metric in CATALOGUE.values() if metric.table == table)

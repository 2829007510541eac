"""The catalogue: every number the poller knows, what it means, where it comes from and where it is stored.

Documentation, command line, `check-config` and the archive read this one table. A metric has at most one
label, which is also the natural key of the inventory its sample table points to.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# What base units may be written in, in config.xml and in rules.
SECONDS: Final = {
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "y": 31536000.0,  # 365 days: a retention needs no calendar
}
# Decimal units as disks are sold, binary ones as memory is.
BYTES: Final = {
    "B": 1,
    **{prefix + "B": 1000**power for power, prefix in enumerate(("k", "M", "G", "T", "P"), 1)},
    "KB": 1000,
    **{prefix + "iB": 1024**power for power, prefix in enumerate(("K", "M", "G", "T", "P"), 1)},
}


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
    "activity_sample": ("", "host", "name"),
    # One table for every number whose label says what it is: the inventory knows metric and label of each series.
    "series_sample": ("", "series", "metric"),
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


def _activity(section: str, source: str) -> Callable[..., Metric]:
    def metric(name: str, unit: str, sentence: str, *, worse: bool = True) -> Metric:
        column = name.replace(".", "_")
        return Metric(name, unit, section, "activity_sample", column, source, sentence, higher_is_worse=worse)

    return metric


def _sockets() -> list[Metric]:
    metric = _activity("sockets", "/proc/net/tcp, udp, tcp6, udp6, proc_pid_net(5)")
    counter = _activity("traffic", "/proc/net/snmp and netstat, Documentation/networking/snmp_counter.rst")
    return [
        metric("tcp.established", "count", "TCP connections that are open"),
        metric("tcp.syn_sent", "count", "TCP connections this host is trying to open"),
        metric("tcp.syn_received", "count", "TCP connections half open: begun from outside, not confirmed yet"),
        metric("tcp.time_wait", "count", "TCP connections that ended a moment ago"),
        metric("tcp.close_wait", "count", "TCP connections that the other side closed and the program here did not"),
        metric("tcp.listening", "count", "TCP sockets that wait for connections"),
        metric("udp.sockets", "count", "UDP sockets"),
        counter("tcp.opens_per_second", "per second", "TCP connections opened, from here or from outside"),
        counter("tcp.attempt_fails_per_second", "per second", "TCP connections that failed to open"),
        counter("tcp.resets_per_second", "per second", "open TCP connections that were reset"),
        counter("tcp.retransmits_per_second", "per second", "TCP segments sent again"),
        counter("tcp.syncookies_per_second", "per second", "SYN cookies sent: too many connections are half open"),
        counter("tcp.listen_overflows_per_second", "per second", "connections lost: a program is slow to accept"),
        counter("tcp.listen_drops_per_second", "per second", "connection attempts dropped by a listening socket"),
        counter("udp.no_ports_per_second", "per second", "UDP datagrams to a port nobody listens on"),
        counter("udp.in_errors_per_second", "per second", "UDP datagrams that could not be delivered"),
    ]  # fmt: skip


def _talks() -> list[Metric]:
    metric = _activity("traffic", "section traffic: iftop, else sock_diag(7), else counts")
    return [
        metric("network.local_peers", "count",
               "peers in local networks that <network-allow> does not list, talked to since the last poll"),
        metric("network.internet_peers", "count",
               "peers elsewhere that <network-allow> does not list, talked to since the last poll"),
        metric("network.coverage_percent", "percent",
               "TCP connections that were seen / those the kernel opened since the last poll", worse=False),
        metric("network.dns_bytes_per_second", "bytes per second",
               "bytes to and from the configured resolvers while iftop looked; no other source knows them"),
    ]  # fmt: skip


def _watched() -> list[Metric]:
    usb = _activity("usb", "/sys/bus/usb/devices, Documentation/ABI/stable/sysfs-bus-usb")
    people = _activity("people", "utmp(5), logind; reboot-required")
    return [
        usb("usb.devices", "count", "USB devices without hubs"),
        usb("usb.unlisted", "count", "USB devices without hubs that <usb-allow> does not list"),
        _activity("mounts", "/proc/self/mountinfo")("mounts.removable", "count", "mounts on removable or USB devices"),
        _activity("units", "systemctl(1)")("units.failed", "count", "systemd units that failed"),
        people("users.logged_in", "count", "logins there are, the poller's own left out"),
        people("reboot.pending", "0 or 1", "1 when the host waits to be rebooted after an update"),
        _activity("hardware", "EDAC, block devices, ext4: /sys")("hardware.faults", "count",
            "errors of memory, disks and file systems that the kernel counted since the last poll"),
        _activity("", "the talk with the host")("clock.error_seconds", "seconds",
            "how far clock.offset_seconds may be off: half of the time the answer took"),
    ]  # fmt: skip


def _series() -> list[Metric]:
    def metric(signature: str, unit: str, section: str, source: str, sentence: str, *, worse: bool = True) -> Metric:
        name, _, label = signature.rstrip("}").partition("{")
        return Metric(name, unit, section, "series_sample", "value", source, sentence, label, worse)

    return [
        metric("process.count{name}", "count", "top", "/proc/*/stat, proc_pid_stat(5)",
               "processes of that name; for names that a threshold gives without wildcards"),
        metric("unit.active{unit}", "0 or 1", "units", "systemctl(1)",
               "1 when the unit is active; for units that a threshold names, and those that failed", worse=False),
        metric("port.listening{port}", "0 or 1", "sockets", "/proc/net/tcp, udp, tcp6, udp6",
               "1 when something listens on the port; for ports that a threshold names", worse=False),
        metric("check.status{check}", "0 to 3", "checks", "<check>", "0 ok, 1 warning, 2 critical, 3 unknown"),
        metric("check.value{value}", "any", "checks", "<check>", "performance data of a check; label: check/label"),
        metric("textfile.value{series}", "any", "textfiles", "<textfile>", "a number of a *.prom file"),
        metric("textfile.age_seconds{file}", "seconds", "textfiles", "<textfile>", "since the file was written"),
        metric("hardware.celsius{sensor}", "degrees Celsius", "hardware", "/sys/class/hwmon", "what a sensor measures"),
        metric("raid.missing_disks{array}", "count", "hardware", "/proc/mdstat, md(4)", "disks that an array lacks"),
        metric("hardware.faults_of{fault}", "count", "hardware", "EDAC, block devices, ext4, links: /sys",
               "errors since the last poll; label: kind/device"),
        metric("log.readable{log}", "0 or 1", "logs", "<log>, <journal>", "1 when the log can be read", worse=False),
        metric("log.behind_bytes{log}", "bytes", "logs", "<log>", "what of the log is still to be fetched"),
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
        Metric("ping.seconds", "seconds", "", "activity_sample", "ping_seconds", "ICMP echo",
               "round trip of an echo request, on average; of hosts that are pinged, and that SSH does not reach"),
        Metric("ping.loss_percent", "percent", "", "activity_sample", "ping_loss_percent", "ICMP echo",
               "echo requests without an answer"),
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
        metric("undelivered", "count", "table notification", "notifications given up for good in the last day"),
        metric("disk_free_percent", "percent", "statvfs(3)", "space left on the disk of the journal", worse=False),
    ]  # fmt: skip


CATALOGUE: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *_cpu(), *_load(), *_memory(), *_filesystems(), *_disks(), *_interfaces(), *_processes(), *_pressure(),
        *_poller(), *_sockets(), *_talks(), *_watched(), *_poll(), *_series(),
    )
}  # fmt: skip


def closest(name: str) -> str | None:
    """The metric that was probably meant, for "did you mean"."""
    return next(iter(difflib.get_close_matches(name, CATALOGUE, n=1)), None)


def columns(table: str) -> tuple[Metric, ...]:
    """The metrics stored in one sample table, in the order of its columns."""
    return tuple(metric for metric in CATALOGUE.values() if metric.table == table)


def column_names(table: str) -> tuple[str, ...]:
    """The columns of one sample table behind its key; all series share one."""
    return tuple(dict.fromkeys(metric.column for metric in columns(table)))

"""What a probe reports. Field names equal the XML attributes of report.xsd and of the probe's collectors.

Text is the probe's: bytes that XML cannot hold arrive as `\\xHH`, a backslash as `\\\\`.
Counters count since boot; times are seconds, sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import Any, Final

from poller.model.activity import (
    Check,
    Fault,
    Login,
    LoginRecord,
    People,
    Process,
    ProcessCount,
    RaidArray,
    Sensor,
    Series,
    TextFile,
    Unit,
)
from poller.model.devices import Device, KernelLog, KernelMessage, Mount, UsbDevice
from poller.model.loglines import JournalEntry, LogSource, LogText
from poller.model.sockets import Flow, Listener, Protocols, Socket, SocketCount, Traffic


class SectionStatus(str, Enum):
    OK = "ok"
    DENIED = "denied"
    ABSENT = "absent"
    FAILED = "failed"
    TIMEOUT = "timeout"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class System:
    """Section `system`: one row.

    `sshd_started` is when the sshd began to listen by which the poller came, in seconds after boot; 0: not known, as
    with a probe that was installed before it told.
    """

    hostname: str
    kernel: str
    release: str
    machine: str
    distribution: str
    distribution_version: str
    distribution_name: str
    cpus: int
    sshd_started: float = 0.0


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Section `cpu`: core "all", then one row per online core. Seconds since boot (proc_stat(5)).

    `guest` is also inside `user`, `guest_nice` inside `nice`.
    """

    core: str
    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    irq: float
    softirq: float
    steal: float
    guest: float
    guest_nice: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Section `memory`: one row of bytes (proc_meminfo(5)), and the bytes swapped since boot."""

    total: int
    available: int
    free: int
    buffers: int
    cached: int
    shared: int
    slab: int
    dirty: int
    swap_total: int
    swap_free: int
    swapped_in: int
    swapped_out: int


@dataclass(frozen=True, slots=True)
class LoadAverage:
    """Section `load`: one row (proc_loadavg(5))."""

    one: float
    five: float
    fifteen: float


@dataclass(frozen=True, slots=True)
class FileSystem:
    """Section `filesystem`: mounted real file systems, one row per device. `state` ok, stuck, skipped or denied.

    `total`, `used`, `available` are bytes as df(1) shows them; the numbers are 0 unless `state` is ok.
    """

    mountpoint: str
    device: str
    type: str
    state: str
    read_only: int
    total: int
    used: int
    available: int
    inodes: int
    inodes_free: int


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """Section `block`: whole disks (Documentation/block/stat.rst of the kernel)."""

    device: str
    model: str
    size: int
    reads: int
    read_bytes: int
    read_seconds: float
    writes: int
    write_bytes: int
    write_seconds: float
    busy_seconds: float


@dataclass(frozen=True, slots=True)
class Interface:
    """Section `network`, element `interface`. `link` up, down or unknown; speed in bits per second, 0 unknown."""

    interface: str
    mac: str
    link: str
    mtu: int
    speed: int
    receive_bytes: int
    receive_packets: int
    receive_errors: int
    receive_dropped: int
    transmit_bytes: int
    transmit_packets: int
    transmit_errors: int
    transmit_dropped: int


@dataclass(frozen=True, slots=True)
class Address:
    """Section `network`, element `address`: one address of one interface."""

    interface: str
    family: str
    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Processes:
    """Section `processes`: how many are in which state (proc_pid_stat(5)); one row."""

    total: int
    running: int
    sleeping: int
    uninterruptible: int
    zombie: int
    stopped: int
    idle: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """Section `pressure`: seconds stalled since boot (Documentation/accounting/psi.rst).

    `resource` is cpu, memory or io; `kind` is some or full.
    """

    resource: str
    kind: str
    stalled: float


Row = (
    System | CpuTimes | Memory | LoadAverage | FileSystem | BlockDevice | Interface | Address | Processes | Pressure
    | UsbDevice | Device | Mount | KernelLog | KernelMessage
    | Listener | Socket | SocketCount | Protocols | Traffic | Flow
    | Process | ProcessCount | Unit | Check | TextFile | Series | People | Login | LoginRecord
    | Sensor | RaidArray | Fault
    | LogSource | LogText | JournalEntry
)  # fmt: skip


# What tells two rows of one kind apart, in a report and in the inventories. A kind left out has one row.
NATURAL_KEYS: Final[dict[type[Any], attrgetter[Any]]] = {
    CpuTimes: attrgetter("core"),
    FileSystem: attrgetter("mountpoint"),
    BlockDevice: attrgetter("device"),
    Interface: attrgetter("interface"),
    Address: attrgetter("interface", "family", "address", "prefix"),
    Pressure: attrgetter("resource", "kind"),
    UsbDevice: attrgetter("port", "vendor", "product", "serial"),
    Device: attrgetter("kind", "name", "model", "serial"),
    Mount: attrgetter("mountpoint", "device", "type", "root"),
    KernelMessage: attrgetter("number"),
    Listener: attrgetter("protocol", "address", "port"),
    Socket: attrgetter("protocol", "local_address", "local_port", "remote_address", "remote_port"),
    SocketCount: attrgetter("protocol", "state"),
    Flow: attrgetter("protocol", "local_address", "local_port", "remote_address", "remote_port", "cookie"),
    Process: attrgetter("pid"),
    ProcessCount: attrgetter("name"),
    Unit: attrgetter("unit"),
    Check: attrgetter("check"),
    TextFile: attrgetter("file"),
    Series: attrgetter("series"),
    Login: attrgetter("user", "terminal", "since"),
    LoginRecord: attrgetter("number"),
    Sensor: attrgetter("sensor"),
    RaidArray: attrgetter("array"),
    Fault: attrgetter("kind", "device"),
    LogSource: attrgetter("log", "path"),
    LogText: attrgetter("number"),
    JournalEntry: attrgetter("number"),
}

# Told once and never compared with the next report: not remembered.
PASSING: Final[frozenset[type[Any]]] = frozenset(
    {KernelMessage, Socket, SocketCount, Check, Series, TextFile, LoginRecord, LogSource, LogText, JournalEntry}
)


def natural_key(row: Row) -> object:
    """None for a kind that has one row."""
    getter = NATURAL_KEYS.get(type(row))
    return getter(row) if getter else None


@dataclass(frozen=True, slots=True)
class Section:
    """One subject of a reading: its rows when `status` is ok, else the reason why there are none (or not all).

    `uptime` is set in what is remembered: that of the report it came with, for a section that is not read each time;
    infinite when the host has booted since, so that no time is counted from it.
    """

    name: str
    status: SectionStatus
    reason: str
    seconds: float
    rows: tuple[Row, ...] = ()
    uptime: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything seen at one moment.

    `clock` is the host's own wall clock in epoch seconds, `uptime` seconds since boot.
    """

    clock: float
    uptime: float
    boot_id: str
    sections: tuple[Section, ...]
    # Filled when they are first asked for: a poll looks thirty times for a section, and a dozen times for rows.
    _names: dict[str, Section] = field(default_factory=dict, init=False, repr=False, compare=False)
    _kinds: dict[type[Any], tuple[Any, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def section(self, name: str) -> Section | None:
        """The section of that name, whatever came of it; None when it was not asked for."""
        if not self._names:
            self._names.update((section.name, section) for section in reversed(self.sections))
        return self._names.get(name)

    def rows(self, kind: type[Row]) -> tuple[Row, ...]:
        """All rows of one type, in the order of the report."""
        if not self._kinds:
            found: dict[type[Any], list[Any]] = {}
            for section in self.sections:
                for row in section.rows:
                    if type(row) in found:
                        found[type(row)].append(row)
                    else:
                        found[type(row)] = [row]
            self._kinds.update((one, tuple(rows)) for one, rows in found.items())
        return self._kinds.get(kind, ())


@dataclass(frozen=True, slots=True)
class Report:
    """A validated report: the last reading is the complete one; an earlier one holds only counters."""

    host: str
    probe: str
    python: str
    seconds: float
    readings: tuple[Reading, ...]

    @property
    def now(self) -> Reading:
        return self.readings[-1]

"""What a host has, kind by kind: the inventory tables, what tells two things apart, and where it is read from.

Three sorts. Most things stay: a row each, found again by its natural key. Some come and go (`section` is set): a row
for each time. Of some there may be very many: of them only those that are spoken of are looked up (`find_by`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from poller.model import (
    Address,
    BlockDevice,
    Check,
    Connection,
    CpuTimes,
    Device,
    FileSystem,
    Interface,
    Listener,
    Login,
    LogSource,
    Mount,
    Unit,
    UsbDevice,
)

Key = tuple[Any, ...]

# last_seen_ms of what is mostly just there again may be so far behind: to write it at every poll costs more than all
# the rest.
PATIENCE_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`key` are the columns that tell things of one host apart, `changing` those that may change; `read` gives both of
    a `row` of the report, as one tuple. Without `row` others make the tuples.

    `section`: what is missing from this section, when all of that was read, is gone. `patience_ms`: last_seen_ms may be
    so far behind. `find_by`: they are looked up by this column of the key, each time.
    """

    table: str
    key: tuple[str, ...]
    changing: tuple[str, ...] = ()
    row: type[Any] | None = None
    read: Callable[[Any], Key] = tuple
    section: str = ""
    patience_ms: int = 0
    find_by: str = ""


def _kind(
    table: str,
    row: type[Any],
    key: str,
    changing: str = "",
    *,
    section: str = "",
    patient: bool = False,
    **renamed: str,
) -> Kind:
    """One whose columns are fields of its row, but for those renamed."""
    names, others = tuple(key.split()), tuple(changing.split())
    fields = [renamed.get(name, name) for name in names + others]
    read: Callable[[Any], Key] = attrgetter(*fields)
    if len(fields) == 1:
        one = attrgetter(fields[0])
        read = lambda found: (one(found),)  # noqa: E731
    return Kind(table, names, others, row, read, section, PATIENCE_MS if section or patient else 0)


def _login(row: Login) -> Key:
    return row.user, row.terminal, round(row.since * 1000), row.source, row.pid


SECTION_STATE: Final = Kind("section_state", ("section",), ("status", "reason", "complete_ms"))
SERIES: Final = Kind("series", ("metric", "label"), patience_ms=PATIENCE_MS)
PEER: Final = Kind(
    "peer", ("protocol", "inbound", "address", "port", "uid"), ("name", "scope", "listed"), find_by="address"
)
LOG_SOURCE: Final = Kind(
    "log_source", ("log", "path"), ("state", "reason", "behind_bytes", "lost_bytes"), LogSource,
    attrgetter("log", "path", "state", "reason", "behind", "lost"),
)  # fmt: skip
USB_DEVICE: Final = _kind(
    "usb_device", UsbDevice, "port vendor product serial",
    "vendor_name product_name device_class interface_classes kind speed_bits_per_second devices",
    section="usb", speed_bits_per_second="speed",
)  # fmt: skip
CONNECTION: Final = Kind(
    "connection", ("protocol", "local_address", "local_port", "remote_address", "remote_port"),
    ("inbound", "uid", "process", "state", "sent_bytes", "received_bytes"), Connection,
    attrgetter("protocol", "local_address", "local_port", "remote_address", "remote_port", "inbound", "uid", "process",
               "state", "sent", "received"),
    "traffic", PATIENCE_MS,
)  # fmt: skip

KINDS: Final = (
    _kind("core", CpuTimes, "core", patient=True),
    _kind("filesystem", FileSystem, "mountpoint", "device type state"),
    _kind("disk", BlockDevice, "device", "model size_bytes", size_bytes="size"),
    _kind("interface", Interface, "interface", "mac link mtu speed_bits_per_second", speed_bits_per_second="speed"),
    _kind("interface_address", Address, "interface family address prefix"),
    USB_DEVICE,
    _kind("device", Device, "kind name model serial", "size_bytes removable bus", section="devices", size_bytes="size"),
    _kind("mount", Mount, "mountpoint device type root", "options removable usb network loop_device carrier",
          section="mounts", loop_device="loop"),
    _kind("listener", Listener, "protocol address port", "uid process", section="sockets"),
    Kind("login", ("account", "terminal", "since_ms"), ("source", "pid"), Login, _login, "people", PATIENCE_MS),
    CONNECTION,
    PEER,
    _kind("unit", Unit, "unit", "load_state active sub description", load_state="load"),
    _kind("service_check", Check, "name", "status output perfdata", name="check"),
    LOG_SOURCE,
    SECTION_STATE,
    SERIES,
)  # fmt: skip
# What comes and goes.
EPISODIC: Final = tuple(kind for kind in KINDS if kind.section)

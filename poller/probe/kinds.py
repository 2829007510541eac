"""What may stand in a section of a report: its rows, their fields, and how the text of each becomes a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, Final

from poller.model import (
    Address,
    BlockDevice,
    Check,
    CpuTimes,
    Device,
    Fault,
    FileSystem,
    Flow,
    Interface,
    JournalEntry,
    KernelLog,
    KernelMessage,
    Listener,
    LoadAverage,
    Login,
    LoginRecord,
    LogSource,
    LogText,
    Memory,
    Mount,
    People,
    Pressure,
    Process,
    ProcessCount,
    Processes,
    Protocols,
    RaidArray,
    Row,
    SectionStatus,
    Sensor,
    Series,
    Socket,
    SocketCount,
    System,
    TextFile,
    Traffic,
    Unit,
    UsbDevice,
)
from remote_probe.collectors import COUNTERS as _COUNTERS

# section -> the elements of its rows, in the order of a report
SECTIONS: Final[dict[str, dict[str, type[Row]]]] = {
    "system": {"system": System},
    "cpu": {"cpu": CpuTimes},
    "memory": {"memory": Memory},
    "load": {"load": LoadAverage},
    "filesystem": {"filesystem": FileSystem},
    "block": {"disk": BlockDevice},
    "network": {"interface": Interface, "address": Address},
    "processes": {"processes": Processes},
    "pressure": {"pressure": Pressure},
    "usb": {"usb": UsbDevice},
    "devices": {"device": Device},
    "mounts": {"mount": Mount},
    "kernel": {"kernel": KernelLog, "message": KernelMessage},
    "sockets": {"listener": Listener, "socket": Socket, "socket_count": SocketCount},
    "traffic": {"protocols": Protocols, "traffic": Traffic, "flow": Flow},
    "top": {"process": Process, "process_count": ProcessCount},
    "units": {"unit": Unit},
    "checks": {"check": Check},
    "textfiles": {"textfile": TextFile, "series": Series},
    "people": {"people": People, "login": Login, "record": LoginRecord},
    "hardware": {"sensor": Sensor, "raid": RaidArray, "fault": Fault},
    "logs": {"log": LogSource, "line": LogText, "entry": JournalEntry},
}
STATUS: Final = {status.value: status for status in SectionStatus}
NAMES_OF_SECTIONS: Final = frozenset(SECTIONS)
COUNTERS: Final = frozenset(_COUNTERS)
ORDER: Final = {name: position for position, name in enumerate(SECTIONS)}
_CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {"str": str, "int": int, "float": float}
FIELDS: Final[dict[type[Row], tuple[tuple[str, Callable[[str], Any]], ...]]] = {
    kind: tuple((field.name, _CONVERTERS[str(field.type)]) for field in fields(kind))
    for rows in SECTIONS.values()
    for kind in rows.values()
}
# What a probe may leave out: kind -> the text that stands for it. Such fields have a default.
LEFT_OUT: Final[dict[type[Row], dict[str, str]]] = {
    kind: {field.name: str(field.default) for field in fields(kind) if field.default is not MISSING} for kind in FIELDS
}

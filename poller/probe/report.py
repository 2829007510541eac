"""XML from a probe -> `poller.model.Report`, or HostError("report", "xml" | "schema" | "identity").

The bytes are authentic but not trusted: whoever owns the host owns their content. They are checked in three steps:
against bounds that keep a hostile report cheap, against report.xsd, and for what XSD cannot say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NoReturn, Protocol

from lxml import etree

from poller.errors import HostError
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
    Reading,
    Report,
    Row,
    Section,
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
    natural_key,
)
from poller.probe import bounds
from remote_probe.collectors import COUNTERS

_MAX_DETAIL: Final = 300

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
_STATUS: Final = {status.value: status for status in SectionStatus}
_NAMES_OF_SECTIONS: Final = frozenset(SECTIONS)
_COUNTERS: Final = frozenset(COUNTERS)
_ORDER: Final = {name: position for position, name in enumerate(SECTIONS)}
_CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {"str": str, "int": int, "float": float}
_FIELDS: Final[dict[type[Row], tuple[tuple[str, Callable[[str], Any]], ...]]] = {
    kind: tuple((field.name, _CONVERTERS[str(field.type)]) for field in fields(kind))
    for rows in SECTIONS.values()
    for kind in rows.values()
}
# What a probe may leave out: kind -> the text that stands for it. Such fields have a default.
_LEFT_OUT: Final[dict[type[Row], dict[str, str]]] = {
    kind: {field.name: str(field.default) for field in fields(kind) if field.default is not MISSING} for kind in _FIELDS
}
# Every name in report.xsd; the rows' attributes are the fields of their dataclasses.
_NAMES: Final = frozenset(
    {
        *("report", "reading", "section", "version", "host", "probe", "python", "seconds"),
        *("clock", "uptime", "boot_id", "name", "status", "reason"),
        *(element for rows in SECTIONS.values() for element in rows),
        *(name for kind in _FIELDS.values() for name, _convert in kind),
    }
)
# libxml2 shares state between validations with one schema, and races when two are built (pyFF #315).
_SCHEMA_LOCK: Final = threading.Lock()


class Expected(Protocol):
    """Whose report it must be: the name in config.xml and the digest of the probe that was sent. A Request is one."""

    @property
    def host(self) -> str: ...

    @property
    def probe(self) -> str: ...


def parse(xml: bytes, expected: Expected) -> Report:
    """Checks everything; safe to call from many threads."""
    root = _document(xml)
    _validate(root)
    for name, wanted in (("host", expected.host), ("probe", expected.probe)):
        if root.get(name) != wanted:
            raise HostError("report", "identity", f"{name} {_cut(ascii(root.get(name)))}, expected {wanted!a}")
    readings = tuple(_reading(element, _NAMES_OF_SECTIONS if element is root[-1] else _COUNTERS) for element in root)
    return Report(expected.host, expected.probe, root.get("python", ""), float(root.get("seconds", "0")), readings)


def _document(xml: bytes) -> etree._Element:
    """The root of a document that is within the bounds."""
    bounds.check(xml, _NAMES)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
        remove_blank_text=True,
        collect_ids=False,
    )
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        # After expat took it: libxml2 had no memory for the document, or not even for saying so.
        if error.msg in (None, "unknown error") or "out of memory" in error.msg.lower():
            raise MemoryError from None
        raise HostError("report", "xml", _cut(ascii(str(error))[1:-1])) from None


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    text = resources.files("poller.probe").joinpath("report.xsd").read_bytes()
    try:
        return etree.XMLSchema(etree.fromstring(text))
    except etree.LxmlError as error:  # it is our own and sound: there was no memory for it
        raise MemoryError from error


def _validate(root: etree._Element) -> None:
    with _SCHEMA_LOCK:
        schema = _schema()
        if schema.validate(root):
            return
        error = schema.error_log[0]  # type: ignore[index]  # missing in the stubs
    raise HostError("report", "schema", _cut(f"{error.path} line {error.line}: {ascii(error.message)[1:-1]}"))


def _reading(element: etree._Element, allowed: frozenset[str]) -> Reading:
    return Reading(
        float(element.get("clock", "0")),
        float(element.get("uptime", "0")),
        element.get("boot_id", ""),
        tuple(_sections(element, allowed)),
    )


def _sections(reading: etree._Element, allowed: frozenset[str]) -> Iterator[Section]:
    """What XSD 1.0 cannot say: each section at most once and in order, with rows of its own kinds, each key once."""
    last = -1
    for element in reading:
        name = element.get("name", "")
        if name not in allowed:
            _refuse(element, f"section {name!r} in the first of two readings, which holds only counters")
        if _ORDER[name] <= last:
            _refuse(element, f"section {name!r} is out of order or there twice")
        last = _ORDER[name]
        status = _STATUS[element.get("status", "")]
        yield Section(
            name, status, element.get("reason", ""), float(element.get("seconds", "0")), _rows(element, SECTIONS[name])
        )


def _rows(section: etree._Element, kinds: dict[str, type[Row]]) -> tuple[Row, ...]:
    rows: list[Row] = []
    seen: set[object] = set()
    for element in section:
        kind = kinds.get(str(element.tag))
        if kind is None:
            _refuse(element, f"a row of another section than {section.get('name')!r}")
        text: dict[str, str] = dict(element.items())  # type: ignore[arg-type]  # the stubs say str | bytes
        wanted = _FIELDS[kind]
        if len(text) < len(wanted):
            text = _LEFT_OUT[kind] | text
        row = kind(*[convert(text[name]) for name, convert in wanted])
        key = kind, natural_key(row)
        if key in seen:
            _refuse(element, f"a second row for {key[1]!a}")
        seen.add(key)
        rows.append(row)
    return tuple(rows)


def _refuse(element: etree._Element, what: str) -> NoReturn:
    path = element.getroottree().getpath(element)
    raise HostError("report", "schema", _cut(f"{path} line {element.sourceline}: {what}"))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL else text[:_MAX_DETAIL] + "..."

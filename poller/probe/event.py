"""XML of an event frame -> `poller.model.Push`, or HostError("report", "xml" | "schema" | "identity").

As little trusted as a report, and checked by the same steps: bounds, event.xsd, and what XSD cannot say. The sections
inside have exactly the form of those in report.xsd.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from importlib import resources
from typing import Final

from lxml import etree

from poller.errors import HostError
from poller.model.live import Encounter, Hint, Push
from poller.probe import report

# What a watch reads anew when something changed.
SECTIONS: Final = ("usb", "devices", "mounts")
_ALLOWED: Final = frozenset(SECTIONS)
_NAMES: Final = report.NAMES | {
    *(
        "event",
        "sequence",
        "lost",
        "devices",
        "mounts",
        "contacts",
        "why",
        "hint",
        "encounter",
        "subsystem",
        "action",
        "path",
        "protocol",
    ),
    *("local_address", "local_port", "remote_address", "remote_port", "inbound", "seen_by"),
}
_INCLUDE: Final = "{http://www.w3.org/2001/XMLSchema}include"


def parse(xml: bytes, host: str, sequence: int, at_ms: int) -> Push:
    """Checks everything; safe to call from many threads. `host` and `sequence` are what the frame must say it is."""
    root = report.document(xml, _NAMES)
    if root.tag != "event":
        raise HostError("report", "schema", "it is no event")
    report.validate(root, _schema)
    for name, wanted in (("host", host), ("sequence", str(sequence))):
        if root.get(name) != wanted:
            raise HostError("report", "identity", f"{name} {ascii(root.get(name))[:200]}, expected {wanted!a}")
    reading = root.find("reading")
    return Push(
        host,
        sequence,
        at_ms,
        None if reading is None else report.reading(reading, _ALLOWED),
        tuple(_encounter(element) for element in root.iterchildren("encounter")),
        tuple(_hint(element) for element in root.iterchildren("hint")),
        _coverage(root),
        int(root.get("lost", "0")),
    )


def _coverage(root: etree._Element) -> tuple[str, ...]:
    """Of devices, mounts and contacts, always three in this order; and why it is less than it could be, when the host
    says so.
    """
    seen = tuple(root.get(name, "none") for name in ("devices", "mounts", "contacts"))
    why = root.get("why", "")
    return (*seen, why) if why else seen


def _hint(element: etree._Element) -> Hint:
    subsystem, action, path, name = (element.get(word, "") for word in ("subsystem", "action", "path", "name"))
    return Hint(subsystem, action, path, name)


def _encounter(element: etree._Element) -> Encounter:
    return Encounter(
        element.get("protocol", ""),
        _address(element.get("local_address", "")),
        int(element.get("local_port", "0")),
        _address(element.get("remote_address", "")),
        int(element.get("remote_port", "0")),
        int(element.get("inbound", "0")),
        element.get("seen_by", ""),
    )


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise HostError("report", "schema", f"{text[:80]!a} is no address") from None


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    """event.xsd with the types of report.xsd in the place of its include: no file is looked for while it is read."""
    folder = resources.files("poller.probe")
    schema, types = (etree.fromstring(folder.joinpath(name).read_bytes()) for name in ("event.xsd", "report.xsd"))
    for include in list(schema.iter(_INCLUDE)):
        schema.remove(include)
    for element in list(types):
        schema.append(element)
    return report.compiled(etree.tostring(schema))

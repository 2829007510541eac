"""XML from a probe -> `poller.model.Report`, or HostError("report", "xml" | "schema" | "identity").

The bytes are authentic but not trusted: whoever owns the host owns their content. They are checked in three steps:
against bounds that keep a hostile report cheap, against report.xsd, and for what XSD cannot say.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Final, NoReturn, Protocol

from lxml import etree

from poller.errors import HostError
from poller.model import Reading, Report, Row, Section, natural_key
from poller.probe import bounds, canonical
from poller.probe.kinds import COUNTERS, FIELDS, LEFT_OUT, NAMES_OF_SECTIONS, ORDER, SECTIONS, STATUS
from remote_probe.render import ONCE

_MAX_DETAIL: Final = 300

# Every name in report.xsd; the rows' attributes are the fields of their dataclasses.
NAMES: Final = frozenset(
    {
        *("report", "reading", "section", "version", "host", "probe", "python", "seconds"),
        *("clock", "uptime", "boot_id", "name", "status", "reason", "same"),
        *(element for rows in SECTIONS.values() for element in rows),
        *(name for kind in FIELDS.values() for name, _convert in kind),
    }
)
Rows = tuple[Row, ...]
_NOTHING: Final[Mapping[str, Rows]] = MappingProxyType({})
# A process that reads only a few reports has done so sooner than made the expressions of the short way.
_PAYS: Final = 20
_PARSED: Final = itertools.count()
# libxml2 shares state between validations with one schema, and races when two are built (pyFF #315).
_SCHEMA_LOCK: Final = threading.Lock()


class Expected(Protocol):
    """Whose report it must be: the name in config.xml and the digest of the probe that was sent. A Request is one."""

    @property
    def host(self) -> str: ...

    @property
    def probe(self) -> str: ...


def parse(xml: bytes, expected: Expected, previous: Report | None = None) -> Report:
    """Checks everything; safe to call from many threads.

    `previous` is the report that the request named (`after`): a section that is `same` has the rows it had there.
    """
    if next(_PARSED) >= _PAYS:
        found = canonical.read(xml, expected, previous)
        if found is not None:
            return found
    return by_tree(xml, expected, previous)


def by_tree(xml: bytes, expected: Expected, previous: Report | None = None) -> Report:
    """The long way: for a report of any form, and with the words for what is wrong with it."""
    root = document(xml, NAMES)
    validate(root)
    for name, wanted in (("host", expected.host), ("probe", expected.probe)):
        if root.get(name) != wanted:
            raise HostError("report", "identity", f"{name} {_cut(ascii(root.get(name)))}, expected {wanted!a}")
    known = {section.name: section.rows for section in previous.now.sections if section.rows} if previous else {}
    readings = tuple(
        reading(element, NAMES_OF_SECTIONS, known) if element is root[-1] else reading(element, COUNTERS)
        for element in root
    )
    return Report(expected.host, expected.probe, root.get("python", ""), float(root.get("seconds", "0")), readings)


def kept(report: Report) -> Report:
    """What of a report its successor may refer to, without what is told once: of logs there may be megabytes."""
    sections = tuple(section for section in report.now.sections if section.name not in ONCE)
    return replace(report, readings=(replace(report.now, sections=sections),))


def document(xml: bytes, names: frozenset[str]) -> etree._Element:
    """The root of a document that is within the bounds and has no other names than these. HostError report/…"""
    bounds.check(xml, names)
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
    return compiled(resources.files("poller.probe").joinpath("report.xsd").read_bytes())


def compiled(text: bytes) -> etree.XMLSchema:
    """The schema in this text of ours. MemoryError."""
    try:
        return etree.XMLSchema(etree.fromstring(text))
    except etree.LxmlError as error:  # it is our own and sound: there was no memory for it
        raise MemoryError from error


def validate(root: etree._Element, load: Callable[[], etree.XMLSchema] = _schema) -> None:
    """HostError report/schema. `load` gives the schema, made the first time it is needed."""
    with _SCHEMA_LOCK:
        schema = load()
        if schema.validate(root):
            return
        error = schema.error_log[0]  # type: ignore[index]  # missing in the stubs
    raise HostError("report", "schema", _cut(f"{error.path} line {error.line}: {ascii(error.message)[1:-1]}"))


def reading(element: etree._Element, allowed: frozenset[str], known: Mapping[str, Rows] = _NOTHING) -> Reading:
    """A valid element `reading` in which only these sections may stand. HostError report/schema.

    `known` are the rows of sections that may be `same`.
    """
    return Reading(
        float(element.get("clock", "0")),
        float(element.get("uptime", "0")),
        element.get("boot_id", ""),
        tuple(_sections(element, allowed, known)),
    )


def _sections(reading: etree._Element, allowed: frozenset[str], known: Mapping[str, Rows]) -> Iterator[Section]:
    """What XSD 1.0 cannot say: each section at most once and in order, with rows of its own kinds, each key once."""
    last = -1
    for element in reading:
        name = element.get("name", "")
        if name not in allowed:
            _refuse(element, f"section {name!r} in the first of two readings, which holds only counters")
        if ORDER[name] <= last:
            _refuse(element, f"section {name!r} is out of order or there twice")
        last = ORDER[name]
        status = STATUS[element.get("status", "")]
        rows = _rows(element, SECTIONS[name])
        if element.get("same") is not None:
            if rows or name not in known:
                _refuse(element, f"section {name!r} is the same as in a report that did not have it")
            rows = known[name]
        yield Section(name, status, element.get("reason", ""), float(element.get("seconds", "0")), rows)


def _rows(section: etree._Element, kinds: dict[str, type[Row]]) -> Rows:
    rows: list[Row] = []
    seen: set[object] = set()
    for element in section:
        kind = kinds.get(str(element.tag))
        if kind is None:
            _refuse(element, f"a row of another section than {section.get('name')!r}")
        text: dict[str, str] = dict(element.items())  # type: ignore[arg-type]  # the stubs say str | bytes
        wanted = FIELDS[kind]
        if len(text) < len(wanted):
            text = LEFT_OUT[kind] | text
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

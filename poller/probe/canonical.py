"""A report in the very form in which our probe writes it, read line by line without a tree; all others are left alone.

remote_probe/render.py writes one tag a line, attributes in the order of report.xsd, no other white space. Each line is
held against one regular expression made from report.xsd, types and lengths included, so that what is taken here is what
`poller.probe.report` would take, with the same result, in an eighth of its time. Whatever is not of that form, valid or
not, goes the long way there, which also has the words for what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol

from lxml import etree

from poller.model import Reading, Report, Row, Section
from poller.model.report import NATURAL_KEYS
from poller.probe.kinds import COUNTERS, FIELDS, LEFT_OUT, NAMES_OF_SECTIONS, ORDER, SECTIONS, STATUS

# So much cannot pass the bounds of a report (`poller.probe.bounds`), whose names are all known here.
LARGEST: Final = 384 * 1024
LONGEST_LINE: Final = 64 * 1024

_XSD: Final = "{http://www.w3.org/2001/XMLSchema}"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
# XML 1.0 has no other control characters, and would read a tab in a value as a space.
_CONTROLS: Final = bytes(set(range(0x20)) - {0x0A})
# U+FFFE and U+FFFF, which are no characters of XML 1.0.
_NO_CHARACTERS: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
# What the probe writes for the four that mean something in XML -> control characters, of which the text has none.
_MARKUP: Final = (("&quot;", "\x01"), ("&lt;", "\x02"), ("&gt;", "\x03"), ("&amp;", "\x04"))
_PLAIN: Final = str.maketrans("\x01\x02\x03\x04", '"<>&')

# Rows that the probe does not write in the order of report.xsd (on a machine without /proc there are others).
_WRITTEN: Final = {
    "memory": (
        "total", "free", "buffers", "cached", "shared", "slab", "dirty", "swap_total", "swap_free", "available",
        "swapped_in", "swapped_out",
    ),
    "processes": ("total", "idle", "running", "sleeping", "stopped", "uninterruptible", "zombie"),
}  # fmt: skip

Match = Callable[[str], "re.Match[str] | None"]


class Expected(Protocol):
    """Whose report it must be."""

    @property
    def host(self) -> str: ...

    @property
    def probe(self) -> str: ...


class OtherFormError(Exception):
    """It may be as good, but it is not as our probe writes it."""


class _Form(NamedTuple):
    """How the rows of one kind are written: `order` brings what `match` finds into the order of its fields, where that
    is needed, and `numbers` are the places of texts that become numbers.
    """

    kind: type[Row]
    match: Match
    order: Callable[[list[str]], tuple[str, ...]] | None
    numbers: tuple[tuple[int, Callable[[str], Any]], ...]
    left_out: tuple[tuple[int, str], ...]
    key: Callable[[Any], object] | None


def read(xml: bytes, expected: Expected, previous: Report | None = None) -> Report | None:
    """The report; None for one in another form, of another host or probe, or with something wrong.

    `previous` is the report whose rows stand for those of a section that is `same`.
    """
    if len(xml) > LARGEST or xml.translate(None, _CONTROLS) != xml or any(one in xml for one in _NO_CHARACTERS):
        return None
    try:
        text = xml.decode()
        lines = text.split("\n")
        # One "<" a line, at its beginning: then none is in a value.
        if text.count("<") != len(lines) - 1 or max(map(len, lines)) > LONGEST_LINE:
            return None
        # Only the last of two readings may refer to the report before.
        first = previous if text.count("\n<reading ") == 1 else None
        return _report(iter(lines), expected, first, previous)
    except (UnicodeDecodeError, OtherFormError, StopIteration):
        return None


def _report(lines: Iterator[str], expected: Expected, first: Report | None, previous: Report | None) -> Report:
    if next(lines) != _DECLARATION:
        raise OtherFormError
    host, probe, python, seconds = _texts(_heads().report, next(lines))
    if host != expected.host or probe != expected.probe:
        raise OtherFormError
    readings: list[Reading] = []
    line = next(lines)
    while line != "</report>":
        if len(readings) == 2:
            raise OtherFormError
        readings.append(_reading(line, lines, previous if readings else first))
        line = next(lines)
    if not readings or next(lines) != "" or next(lines, None) is not None:
        raise OtherFormError
    if len(readings) == 2 and not all(section.name in COUNTERS for section in readings[0].sections):
        raise OtherFormError
    return Report(expected.host, expected.probe, python, float(seconds), tuple(readings))


def _reading(line: str, lines: Iterator[str], previous: Report | None) -> Reading:
    clock, uptime, boot_id = _texts(_heads().reading, line)
    return Reading(float(clock), float(uptime), boot_id, tuple(_sections(lines, previous)))


def _sections(lines: Iterator[str], previous: Report | None) -> Iterator[Section]:
    head = _heads().section
    last = -1
    for line in lines:
        if line == "</reading>":
            return
        name, status, reason, seconds, same = _texts(head, line)
        if name not in NAMES_OF_SECTIONS or ORDER[name] <= last or status not in STATUS:
            raise OtherFormError
        last = ORDER[name]
        rows = _rows(lines, name)
        if same is not None:
            rows = _known(previous, name, rows)
        yield Section(name, STATUS[status], reason, float(seconds), rows)
    raise OtherFormError


def _known(previous: Report | None, name: str, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    for section in previous.now.sections if previous is not None else ():
        if section.name == name and section.rows and not rows:
            return section.rows
    raise OtherFormError


def _rows(lines: Iterator[str], name: str) -> tuple[Row, ...]:
    forms = _forms(name)
    rows: list[Row] = []
    keys: set[object] = set()
    for line in lines:
        if line == "</section>":
            if len(keys) != len(rows):  # two rows of one key
                raise OtherFormError
            return tuple(rows)
        form = forms.get(line[1 : line.find(" ")])
        if form is None:
            raise OtherFormError
        kind, match, order, numbers, left_out, key = form
        values = _texts(match, line)
        if order is not None:
            values = list(order(values))
        for place, text in left_out:
            if values[place] is None:
                values[place] = text
        for place, convert in numbers:
            values[place] = convert(values[place])
        row = kind(*values)
        rows.append(row)
        keys.add((kind, key(row)) if key else kind)
    raise OtherFormError


def _texts(match: Match, line: str) -> list[Any]:
    """The values of the attributes, None for one that was left out."""
    if "&" in line:
        return _escaped(match, line)
    found = match(line)
    if found is None:
        raise OtherFormError
    return list(found.groups())


def _escaped(match: Match, line: str) -> list[Any]:
    for written, one in _MARKUP:
        line = line.replace(written, one)
    if "&" in line:
        raise OtherFormError
    return [text and text.translate(_PLAIN) for text in _texts(match, line)]


# --- report.xsd -> regular expressions, each made when it is first needed ---


class _Heads(NamedTuple):
    report: Match
    reading: Match
    section: Match


@cache
def _schema() -> etree._Element:
    return etree.fromstring(resources.files("poller.probe").joinpath("report.xsd").read_bytes())


@cache
def _heads() -> _Heads:
    """The tags that hold others. Which names and states there are is looked up."""
    return _Heads(
        re.compile(
            f'<report version="1" host="({_type("key")})" probe="([0-9a-f]{{64}})" python="({_type("text")})" '
            f'seconds="({_type("decimal")})">'
        ).fullmatch,
        re.compile(
            f'<reading clock="({_type("decimal")})" uptime="({_type("decimal")})" boot_id="({_type("key")})">'
        ).fullmatch,
        re.compile(
            f'<section name="([a-z]+)" status="([a-z]+)" reason="({_type("text")})" '
            f'seconds="({_type("decimal")})"(?: same="(1)")?>'
        ).fullmatch,
    )


@cache
def _forms(section: str) -> dict[str, _Form]:
    return {element: _form(element, kind) for element, kind in SECTIONS[section].items()}


def _form(element: str, kind: type[Row]) -> _Form:
    written: dict[str, str] = {}
    for attribute in _schema().iterfind(f"{_XSD}complexType[@name='{_type_of(element)}']/{_XSD}attribute"):
        name, what = str(attribute.attrib["name"]), _type(str(attribute.attrib["type"]))
        written[name] = f' {name}="({what})"' if attribute.get("use") == "required" else f'(?: {name}="({what})")?'
    names = [name for name, _convert in FIELDS[kind]]
    assert list(written) == names, element  # noqa: S101 - a test reads a row of each kind
    order = _WRITTEN.get(element, tuple(names))
    pattern = re.compile(f"<{element}{''.join(written[name] for name in order)}/>")
    numbers = tuple((place, convert) for place, (_, convert) in enumerate(FIELDS[kind]) if convert is not str)
    left_out = tuple((names.index(name), text) for name, text in LEFT_OUT[kind].items())
    sort = itemgetter(*map(order.index, names)) if element in _WRITTEN else None
    return _Form(kind, pattern.fullmatch, sort, numbers, left_out, NATURAL_KEYS.get(kind))


def _type_of(element: str) -> str:
    found = _schema().find(f".//{_XSD}element[@name='{element}']")
    assert found is not None  # noqa: S101 - every kind of row is in it
    return str(found.attrib["type"])


@cache
def _type(name: str) -> str:
    """What a value of that type may be, between the quotes; of the numbers that are near the greatest only that."""
    if name == "integer":
        return "[0-9]{1,18}|[0-8][0-9]{18}|9223372036854775807"
    facets = list(_schema().iterfind(f"{_XSD}simpleType[@name='{name}']/{_XSD}restriction/*"))
    limits = {str(facet.tag).removeprefix(_XSD): str(facet.attrib["value"]) for facet in facets}
    if "pattern" in limits:
        return limits["pattern"].replace("(", "(?:")
    if "enumeration" in limits:
        return "|".join(re.escape(str(facet.attrib["value"])) for facet in facets)
    return f'[^"]{{{limits.get("minLength", 0)},{limits.get("maxLength", 1024)}}}'

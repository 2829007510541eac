"""Invented reports: any that the schema allows, and texts made of the words of one."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib import resources
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from poller.model import Reading, Report, Row, Section, SectionStatus, natural_key
from poller.model.report import NATURAL_KEYS
from poller.probe.kinds import SECTIONS
from remote_probe.collectors import COUNTERS
from tests.probe.reports import ELEMENTS, render, report, watched
from tests.probe.sealing import DIGEST

# XML 1.0, section 2.2: what a document can hold at all, as a character or as a reference.
CHARACTERS = st.characters(codec="utf-8").filter(
    lambda one: (one >= " " or one in "\t\n\r") and one not in "\ufffe\uffff"
)
TEXTS = st.text(CHARACTERS, max_size=40)
KEYS = st.text(CHARACTERS, min_size=1, max_size=40)
INTEGERS = st.integers(0, 2**63 - 1) | st.sampled_from([0, 1, 2**31, 2**53 + 1, 2**63 - 1])
SECONDS = st.integers(0, 2**46).map(lambda ticks: ticks / 64)  # exact with six digits behind the point
SIGNED = st.builds(lambda ticks, sign: sign * ticks, SECONDS, st.sampled_from([1, -1])).map(lambda ticks: ticks + 0.0)
# What report.xsd calls the type of an attribute -> values of it.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "key": KEYS,
    "integer": INTEGERS,
    "decimal": SECONDS,
    "signed": SIGNED,
    "flag": st.integers(0, 1),
    "state": st.sampled_from(["ok", "stuck", "skipped", "denied"]),
    "link": st.sampled_from(["up", "down", "unknown"]),
    "resource": st.sampled_from(["cpu", "memory", "io"]),
    "kind": st.sampled_from(["some", "full"]),
}
MANY = frozenset(ELEMENTS[kind] for kind in NATURAL_KEYS)
XS = "{http://www.w3.org/2001/XMLSchema}"


def _types() -> dict[tuple[str, str], str]:
    """(element, attribute) -> type, of the rows in report.xsd."""
    root = etree.fromstring(resources.files("poller.probe").joinpath("report.xsd").read_bytes())
    return {
        (str(row.get("name")), str(attribute.get("name"))): str(attribute.get("type"))
        for row in root.iterfind(f"{XS}complexType")
        for attribute in row.iterfind(f"{XS}attribute")
    }


TYPES = _types()


def rows(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Rows of one kind of element."""
    return st.builds(kind, **{field.name: VALUES[TYPES[ELEMENTS[kind], field.name]] for field in fields(kind)})


@st.composite
def sections(draw: st.DrawFn, name: str) -> Section:
    """A section with rows of its kinds, each key once."""
    found: dict[object, Row] = {}
    for element, kind in SECTIONS[name].items():
        for row in draw(st.lists(rows(kind), max_size=3 if element in MANY else 1)):
            found.setdefault((kind, natural_key(row)), row)
    return Section(name, draw(st.sampled_from(SectionStatus)), draw(TEXTS), draw(SECONDS), tuple(found.values()))


@st.composite
def readings(draw: st.DrawFn, names: tuple[str, ...] = tuple(SECTIONS)) -> Reading:
    """Any choice of these sections, in their order."""
    chosen = draw(st.sets(st.sampled_from(names)))
    kept = tuple(draw(sections(name)) for name in SECTIONS if name in chosen)
    return Reading(draw(SECONDS), draw(SECONDS), draw(KEYS), kept)


REPORTS = st.builds(
    Report,
    host=st.just("web1"),
    probe=st.just(DIGEST),
    python=TEXTS,
    seconds=SECONDS,
    readings=st.tuples(readings()) | st.tuples(readings(COUNTERS), readings()),
)

GOOD = render(report(watched()))
_NAMES = ["report", "reading", "section", *ELEMENTS.values(), "version", "host", "probe", "a", "xml:space", "xmlns:x"]
_VALUES = [
    "",
    "1",
    "0",
    "-1",
    "1e9",
    "NaN",
    "ok",
    "web1",
    DIGEST,
    "cpu",
    str(2**63),
    "&amp;",
    "&x;",
    "&#0;",
    "&#10;",
    "<",
]
_TOKENS = [b"<", b">", b"/>", b"</", b"&", b'"', b"'", b"=", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>",
           b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"<!DOCTYPE r>", b"&#x0;", b"&#xD800;", b" ",
           b"9", b"-"]  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good report in which something was cut, put in or put in place of something."""
    xml = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(xml)))
        piece = draw(st.sampled_from(_TOKENS) | st.binary(max_size=8) | st.sampled_from(_VALUES).map(str.encode))
        xml[position : position + draw(st.sampled_from([0, 1, 2, 9, 60, 900]))] = piece
    return bytes(xml)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> bytes:
    """Elements that are well-formed, with known and strange names nested as it comes."""
    name = draw(st.sampled_from(_NAMES[:-5] if draw(st.booleans()) else _NAMES))
    pairs = draw(st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(_VALUES), max_size=4))
    inside = draw(st.lists(elements(depth + 1), max_size=3)) if depth < 4 else []
    head = f"<{name}" + "".join(f' {key}="{value}"' for key, value in pairs.items())
    return (
        head.encode() + b">" + b"".join(inside) + draw(st.sampled_from([b"", b"\n", b"text"])) + f"</{name}>".encode()
    )


@st.composite
def misordered(draw: st.DrawFn) -> Report:
    """Against what XSD cannot say: sections twice or out of order, rows of another section, keys that come again."""
    found = []
    for name in draw(st.lists(st.sampled_from(list(SECTIONS)), min_size=1, max_size=4)):
        part = draw(sections(draw(st.sampled_from([name, name, *SECTIONS]))))
        found.append(replace(part, name=name, rows=part.rows * draw(st.integers(1, 2))))
    return Report("web1", draw(st.sampled_from([DIGEST, "0" * 64])), "3", 0.0, (Reading(1.0, 1.0, "b", tuple(found)),))


_HEAVY = (
    lambda count: b"<report>" + b"<a/>" * count + b"</report>",
    lambda count: b"<report>" + b"<cpu/>" * count + b"</report>",
    lambda count: (
        b"<report>" + b"<cpu core='' user='' nice='' system='' idle='' irq=''/>" * (count // 2) + b"</report>"
    ),
    lambda count: b"<report>" * (count % 40) + b"</report>" * (count % 40),
    lambda count: b'<report host="' + b"x" * count + b'"/>',
    lambda count: b"<report>" + b" " * (min(count, 90_000) * 400) + b"</report>",
    lambda count: b"<report" + b"".join(b' a%d=""' % number for number in range(count // 8)) + b"/>",
)
HEAVY = st.builds(lambda make, count: make(count), st.sampled_from(_HEAVY), st.integers(0, 200_000))

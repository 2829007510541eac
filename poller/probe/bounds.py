"""What a report may hold, checked before any tree of it is built, so that a hostile one stays cheap.

The part of XML that a report needs is elements and attributes with names from report.xsd: no DOCTYPE, entity, comment
or instruction. Names matter because libxml2 keeps every name it ever met in a dictionary that parsers share: reports
full of new names would fill the poller's memory for good. expat forgets them with its parser.
"""

from __future__ import annotations

from typing import Final
from xml.parsers import expat  # it only counts; amplification by entities needs a DOCTYPE, which is refused first

from poller.errors import HostError

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_DEPTH: Final = 16
MAX_ELEMENTS: Final = 40_000
MAX_ATTRIBUTES: Final = 100_000
MAX_TAG_BYTES: Final = 64 * 1024
_DECLARATION: Final = b"<?xml "


def check(xml: bytes, names: frozenset[str]) -> None:
    """HostError("report", "xml") beyond a bound, ("report", "schema") for an element or attribute not in `names`."""
    _check_bytes(xml)
    parser = expat.ParserCreate("utf-8")  # fixed, or another encoding would hide "<!" from the check above
    census = _Census(parser, names)
    parser.StartElementHandler = census.start
    parser.EndElementHandler = census.end
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise HostError("report", "xml", str(error)) from None
    finally:
        parser.StartElementHandler = parser.EndElementHandler = None  # no cycle for the collector to find


def _check_bytes(xml: bytes) -> None:
    """ "<" never stands inside an attribute value, so each one begins a tag, and these counts are exact."""
    if len(xml) > MAX_BYTES:
        raise HostError("report", "xml", f"{len(xml)} bytes")
    if xml.count(b"<") > 2 * MAX_ELEMENTS:
        raise HostError("report", "xml", f"more than {MAX_ELEMENTS} elements")
    if b"<!" in xml or xml.find(b"<?", len(_DECLARATION) if xml.startswith(_DECLARATION) else 0) >= 0:
        raise HostError("report", "xml", "it holds a declaration, a comment or an instruction")
    if len(xml) > MAX_TAG_BYTES and _longest(xml) > MAX_TAG_BYTES:
        raise HostError("report", "xml", f"more than {MAX_TAG_BYTES} bytes in one place")


def _longest(xml: bytes) -> int:
    """Bytes between two "<", at most. Not by `split`, which would hold all of a large report once more."""
    longest = start = 0
    while (end := xml.find(b"<", start)) >= 0:
        longest = max(longest, end - start)
        start = end + 1
    return max(longest, len(xml) - start)


class _Census:
    """Keeps nothing but the path and a count."""

    def __init__(self, parser: expat.XMLParserType, names: frozenset[str]) -> None:
        self.parser = parser
        self.names = names
        self.path: list[str] = []
        self.attributes = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.path.append(tag)
        self.attributes += len(attributes)
        if len(self.path) > MAX_DEPTH:
            raise HostError("report", "xml", f"deeper than {MAX_DEPTH} elements")
        if self.attributes > MAX_ATTRIBUTES:
            raise HostError("report", "xml", f"more than {MAX_ATTRIBUTES} attributes")
        if tag not in self.names or not self.names.issuperset(attributes):
            strange = min({tag, *attributes} - self.names)
            where = f"{'/'.join(['', *self.path])} line {self.parser.CurrentLineNumber}"
            raise HostError("report", "schema", f"{where}: {strange[:80]!a} is not part of a report"[:300])

    def end(self, _tag: str) -> None:
        self.path.pop()

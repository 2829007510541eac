"""The file itself: read within bounds, refused when others could have written it, parsed without DTD or entities.

In goes a path, out comes a tree of `Element`s that know the line of every tag and attribute. lxml stays in here.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lxml import etree

from poller.config import secret
from poller.config.mistakes import Mistakes, WrongError, shortened
from poller.config.source import Source

MOST_BYTES: Final = 16 * 1024 * 1024

# The tokens of well-formed XML that can hold "<"; group 1 is the name of a start tag, group 2 its attributes.
_TOKEN = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"""|<([^\s/>!?][^\s/>]*)((?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>""",
    re.DOTALL,
)
_PROLOG = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=/>]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
# The element whose text, and the attribute whose value, is in a language of its own.
_WRITTEN: Final = "rule"
_WRITTEN_ATTRIBUTE: Final = "clear"
_END = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|</rule\s*>", re.DOTALL)
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")


@dataclass(frozen=True, slots=True)
class Text:
    """An attribute's text as XML gives it, and the line it stands on."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Element:
    """`text` is what stands between the tags besides elements; there should be none but in a `<rule>`.

    `sources`: of a `<rule>` what stands between its tags (""), and its attribute clear=, as written.
    """

    tag: str
    line: int
    attributes: Mapping[str, Text]
    children: tuple[Element, ...]
    text: str
    sources: Mapping[str, Source] = field(default_factory=dict)


def read(path: Path, mistakes: Mistakes) -> Element:
    """The document element. ConfigError when the file cannot be had, trusted or parsed."""
    try:
        data = _bytes(path)
    except WrongError as wrong:
        mistakes.add(0, f"the file {wrong.predicate}", wrong.hint)
        raise mistakes.error() from None
    return parse(data, mistakes)


def parse(data: bytes, mistakes: Mistakes) -> Element:
    """The document element of XML text in UTF-8. ConfigError when it is something else."""
    text = _text(data, mistakes)
    _refuse_doctype(text, mistakes)
    # Since lxml 5.0 internal entities would still be expanded by default.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        # Only the first: the others follow from it. The exception's own log keeps those of earlier files.
        log: Any = parser.error_log
        mistakes.add(log[0].line, _plainly(log[0].message))
        raise mistakes.error() from None
    return _element(root, _lines(text))


def read_ours(path: Path, most: int) -> bytes:
    """Up to so many bytes of a file that nobody else may write. WrongError."""
    descriptor = secret.open_plain(path)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        secret.check_owner(status)
        if stat.S_IMODE(status.st_mode) & 0o022:
            # Whoever writes here chooses what runs on every host.
            raise WrongError("may be changed by other users", f"chmod go-w {shlex.quote(str(path))}")
        return file.read(most)


def _bytes(path: Path) -> bytes:
    data = read_ours(path, MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise WrongError(f"is larger than {MOST_BYTES // 2**20} MiB")
    if not data.strip():
        raise WrongError("is empty", "`poller init FILE` writes one to start from")
    return data


def _text(data: bytes, mistakes: Mistakes) -> str:
    """The file as text. Other encodings are refused rather than guessed."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0", b"\0<"))
    declared = _DECLARED.match(data)
    if wide:
        mistakes.add(0, "the file is UTF-16; it must be UTF-8", "iconv -f UTF-16 -t UTF-8")
    elif b"\0" in data:
        mistakes.add(_line_of(data, data.index(b"\0")), "a NUL byte stands here; the file must be UTF-8 text")
    elif declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        mistakes.add(1, f"the encoding {declared[1].decode()} is declared; the file must be UTF-8",
                     f"iconv -f {declared[1].decode()} -t UTF-8, and change the first line")  # fmt: skip
    else:
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            mistakes.add(_line_of(data, error.start), "these bytes are not UTF-8", "save the file as UTF-8")
    raise mistakes.error()


def _line_of(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _refuse_doctype(text: str, mistakes: Mistakes) -> None:
    """Before the parser sees any of it: a DOCTYPE can only stand before the first element."""
    position = 0
    while skipped := _PROLOG.match(text, position):
        position = skipped.end()
    if text.startswith("<!DOCTYPE", position):
        mistakes.add(
            text.count("\n", 0, position) + 1,
            "a DOCTYPE stands here; config.xml has none, and entities are not expanded",
            "take the DOCTYPE out; ${VARIABLE} takes values from the environment",
        )
        raise mistakes.error()


def _lines(text: str) -> Iterator[tuple[int, dict[str, int], dict[str, Source]]]:
    """Line of each start tag and of its attributes, in order, and what a rule says. libxml2 knows where a tag ends.

    Only for text that was parsed: then it is exact, and takes one pass.
    """
    line, counted = 1, 0
    for token in _TOKEN.finditer(text):
        if token[1]:
            line, counted = line + text.count("\n", counted, token.start()), token.start()
            sources = _sources(text, token, line) if token[1] == _WRITTEN else {}
            yield line, _attribute_lines(token, line), sources


def _attribute_lines(tag: re.Match[str], line: int) -> dict[str, int]:
    if "\n" not in tag[0]:
        return {}
    before = tag.start(2) - tag.start()
    return {
        attribute[1]: line + tag[0].count("\n", 0, before + attribute.start())
        for attribute in _ATTRIBUTE.finditer(tag[2])
    }


def _sources(text: str, tag: re.Match[str], line: int) -> dict[str, Source]:
    found = {}
    for attribute in _ATTRIBUTE.finditer(tag[2]):
        if attribute[1] == _WRITTEN_ATTRIBUTE:
            value = re.search("[\"']", attribute[0])
            begin = tag.start(2) + attribute.start() + (value.end() if value else 0)
            found[attribute[1]] = _source(text, begin, tag.start(2) + attribute.end() - 1, tag.start(), line)
    if not tag[0].endswith("/>"):
        end = next((each.start() for each in _END.finditer(text, tag.end()) if each[0].startswith("</")), tag.end())
        found[""] = _source(text, tag.end(), end, tag.start(), line)
    return found


def _source(text: str, begin: int, end: int, tag: int, line: int) -> Source:
    column = begin - text.rfind("\n", 0, begin)
    return Source(text[begin:end], line + text.count("\n", tag, begin), column, attribute=text[begin - 1] != ">")


def _element(node: etree._Element, lines: Iterator[tuple[int, dict[str, int], dict[str, Source]]]) -> Element:
    line, attribute_lines, sources = next(lines)
    texts = [node.text or ""]
    children = []
    for child in node:
        if isinstance(child.tag, str):
            children.append(_element(child, lines))
        texts.append(child.tail or "")
    return Element(
        tag=str(node.tag),
        line=line,
        attributes={
            str(key): Text(str(value), attribute_lines.get(_written(str(key)), line))
            for key, value in node.attrib.items()
        },
        children=tuple(children),
        text=" ".join(text.strip() for text in texts).strip(),
        sources=sources,
    )


def _written(name: str) -> str:
    """The part of a name that stands in the file for certain: lxml puts a namespace before it, in braces."""
    return name.rpartition("}")[2]


_PLAINLY: Final = (
    (r"Opening and ending tag mismatch: (\S+) line (\d+) and (\S+)", r"</\3> stands here but <\1> of line \2 is open"),
    (r"Premature end of data in tag (\S+) line (\d+)", r"the file ends while <\1> of line \2 is still open"),
    (r"EndTag: '</' not found", "the file ends while an element is still open"),
    (r"Couldn't find end of Start Tag (\S+) line \d+", r"the tag <\1 is not closed with >"),
    (r"Attribute (\S+) redefined", r"\1= stands twice in one tag"),
    (r"AttValue: \" or ' expected", "an attribute's value must stand in quotes"),
    (r"Unescaped '<' not allowed in attributes values", 'a "<" stands inside a value; write &lt;, or close the quote'),
    (r"Specification mandates value for attribute (\S+)", r'\1 has no value; write \1="…"'),
    (r"xmlParseEntityRef: no name|EntityRef: expecting ';'", 'a lone "&" stands here; write &amp;'),
    (r"Entity '(\S+)' not defined", r'&\1; is not defined; write &amp; for a plain "&"'),
    (r"Extra content at the end of the document", "something stands behind the end of </poller>"),
    (r"Start tag expected, '<' not found|Document is empty", "this is not XML: no element begins here"),
    (r"AttValue: ['\"] expected", "the quote of an attribute's value is not closed"),
    (r"attributes construct error", "a space is missing between two attributes, or a quote"),
    (r"StartTag: invalid element name", 'a "<" stands here that begins no element; write &lt;'),
    (r"expected '>'", "a tag is not closed with >"),
    (r"Namespace prefix (\S+).*", r"\1: is a prefix that means nothing here"),
    (r"Double hyphen within comment.*|Comment must not contain '--'.*", 'a comment holds "--"'),
    (r"Comment not terminated.*", "a comment is not closed with -->"),
    (r"CData section not finished[\s\S]*", "a <![CDATA[ is not closed"),
    (r"Excessive depth.*|Maximum.*depth.*", "elements are nested too deeply"),
    (r".*[Ii]nvalid (Char|char|xmlChar|bytes).*", "a control character stands here"),
)  # fmt: skip


def _plainly(message: str) -> str:
    """A libxml2 message as a sentence; those not in the table are shown as they are."""
    for pattern, sentence in _PLAINLY:
        if match := re.match(pattern, message):
            return shortened(match.expand(sentence), 200)
    return f"this is not well-formed XML: {shortened(message.strip(), 200)}"

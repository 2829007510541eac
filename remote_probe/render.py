r"""Samples -> XML, by hand. Whatever bytes the machine gives, the result is valid XML 1.0 and can be undone.

A byte that is not part of a printable UTF-8 character becomes `\xHH`, a backslash `\\`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional

    from remote_probe.collect import Reading, Section
    from remote_probe.host import Row, Value

LONGEST = 1024  # characters of one text, escapes included; report.xsd refuses longer ones
MOST = 4 * LONGEST  # bytes; what is longer has more characters in any case
ONCE = ("kernel", "people", "logs")  # their rows are told once: two that look the same are two
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


class Told:
    """What the centre has of this process: the rows of its newest report, by section, and the nonce that names it.

    A request whose `after` is that nonce has them still; the sections that are the same are then not sent again.
    """

    def __init__(self) -> None:
        self.nonce = ""
        self.lines: "Dict[str, str]" = {}

    def has(self, nonce: str) -> "Dict[str, str]":
        """The rows that need not be sent, by section. Nothing of them is kept: what comes next takes their place."""
        known = self.lines if nonce and nonce == self.nonce else {}
        self.nonce, self.lines = "", {}
        return known


def report(
    head: "Dict[str, Value]",
    readings: "List[Reading]",
    told: "Optional[Told]" = None,
    request: "Optional[Dict[str, Any]]" = None,
) -> bytes:
    """The whole document; `head` are the attributes of its root beside the version.

    With `told`, and the request that it answers, sections of the last reading may be the same as before.
    """
    if told is None or request is None:
        return "".join(_document(head, readings, {}, {})).encode("utf-8")
    lines: "Dict[str, str]" = {}
    document = "".join(_document(head, readings, told.has(request.get("after", "")), lines)).encode("utf-8")
    told.nonce, told.lines = request["nonce"], lines
    return document


def event(head: "Dict[str, Value]", rows: "List[Row]", reading: "Optional[Reading]") -> bytes:
    """The document of one event frame: `rows` are its hints and encounters, `reading` what was read anew."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<event version="1"%s>\n' % _attributes(head)]
    parts += ["<%s%s/>\n" % (element, _attributes(values)) for element, values in rows]
    if reading:
        parts.append('<reading clock="%s" uptime="%s" ' % (spelled(reading.clock), spelled(reading.uptime)))
        parts.append('boot_id="%s">\n' % spelled(reading.boot_id))
        parts += [_section(section, _rows(section), False) for section in reading.sections]
        parts.append("</reading>\n")
    return "".join([*parts, "</event>\n"]).encode("utf-8")


def _document(
    head: "Dict[str, Value]", readings: "List[Reading]", known: "Dict[str, str]", lines: "Dict[str, str]"
) -> "Iterator[str]":
    """`known` are the rows that may be left out; `lines` is filled with those of the last reading."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<report version="1"%s>\n' % _attributes(head)
    for reading in readings:
        moment = {"clock": reading.clock, "uptime": reading.uptime, "boot_id": reading.boot_id}
        yield "<reading%s>\n" % _attributes(moment)  # type: ignore[arg-type]  # a dict of narrower values
        for section in reading.sections:
            rows = _rows(section)
            same = bool(rows) and reading is readings[-1] and known.get(section.name) == rows
            yield _section(section, "" if same else rows, same)
            if section.name not in ONCE and reading is readings[-1]:
                lines[section.name] = rows
        yield "</reading>\n"
    yield "</report>\n"


def _rows(section: "Section") -> str:
    return "".join("<%s%s/>\n" % (element, _attributes(values)) for element, values in section.outcome[3])


def _section(section: "Section", rows: str, same: bool) -> str:
    status, reason, seconds, _ = section.outcome
    attributes: "Dict[str, Value]" = {"name": section.name, "status": status, "reason": reason, "seconds": seconds}
    if same:
        attributes["same"] = 1
    return "<section%s>\n%s</section>\n" % (_attributes(attributes), rows)


def _attributes(values: "Dict[str, Value]") -> str:
    return "".join(' %s="%s"' % (name, spelled(value)) for name, value in values.items())


def spelled(value: "Value") -> str:
    """One value, ready to stand between quotes."""
    if isinstance(value, float):
        return ("%.6f" % value).rstrip("0").rstrip(".")
    if isinstance(value, int):
        return "%d" % value
    text = escaped(value)
    plain = "&" not in text and "<" not in text and ">" not in text and '"' not in text
    return text if plain else text.translate(_MARKUP)  # which takes 40 times as long as looking


def escaped(raw: "bytes | str") -> str:
    """Reversible text. What would be longer than LONGEST ends in `~` and a digest, so that two names stay two."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogateescape")
    text = raw[:MOST].decode("utf-8", "surrogateescape")
    plain = text.isprintable() and "\\" not in text
    if plain and len(text) <= LONGEST and len(raw) <= MOST:
        return text
    pieces = list(text) if plain else [_piece(char) for char in text]
    if len(raw) <= MOST and sum(map(len, pieces)) <= LONGEST:
        return "".join(pieces)
    return _cut(raw, pieces)


def _cut(raw: bytes, pieces: "List[str]") -> str:
    """Ends between two characters, never inside the escape of one."""
    from remote_probe.sha import sha256

    end = "~" + sha256(raw).hexdigest()[:16]
    room = LONGEST - len(end)
    head = ""
    for piece in pieces:
        if len(head) + len(piece) > room:
            break
        head += piece
    return head + end


def _piece(char: str) -> str:
    """The character itself where XML 1.0 can hold it and it does not control a terminal, else its bytes."""
    if char == "\\":
        return "\\\\"
    if char >= " " and not "\x7f" <= char <= "\x9f" and not "\ud800" <= char <= "\udfff" and char not in "\ufffe\uffff":
        return char
    return "".join("\\x%02x" % byte for byte in char.encode("utf-8", "surrogateescape"))

r"""Samples -> XML, by hand. Whatever bytes the machine gives, the result is valid XML 1.0 and can be undone.

A byte that is not part of a printable UTF-8 character becomes `\xHH`, a backslash `\\`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List

    from remote_probe.collect import Reading, Section
    from remote_probe.host import Value

LONGEST = 1024  # characters of one text, escapes included; report.xsd refuses longer ones
MOST = 4 * LONGEST  # bytes; what is longer has more characters in any case
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def report(head: "Dict[str, Value]", readings: "List[Reading]") -> bytes:
    """The whole document; `head` are the attributes of its root beside the version."""
    return "".join(_document(head, readings)).encode("utf-8")


def _document(head: "Dict[str, Value]", readings: "List[Reading]") -> "Iterator[str]":
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<report version="1"%s>\n' % _attributes(head)
    for reading in readings:
        moment = {"clock": reading.clock, "uptime": reading.uptime, "boot_id": reading.boot_id}
        yield "<reading%s>\n" % _attributes(moment)  # type: ignore[arg-type]  # a dict of narrower values
        for section in reading.sections:
            yield _section(section)
        yield "</reading>\n"
    yield "</report>\n"


def _section(section: "Section") -> str:
    status, reason, seconds, rows = section.outcome
    attributes = {"name": section.name, "status": status, "reason": reason, "seconds": seconds}
    lines = "".join("<%s%s/>\n" % (element, _attributes(values)) for element, values in rows)
    return "<section%s>\n%s</section>\n" % (_attributes(attributes), lines)  # type: ignore[arg-type]


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

"""Whatever bytes a machine gives, the report is valid XML and they can be had back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from remote_probe.collect import Collection, Reading
from remote_probe.render import LONGEST, Told, escaped, report, spelled

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
NAUGHTY = [
    b"\0", b"\x01\x1b[31m\x7f", b"new\nline\ttab\rreturn", b"\xff\xfe\x80", "\u0085\u009b".encode(), b"\\x41", b"\\\\",
    "\ufffe\uffff\U0001fffe".encode(), b"\xed\xa0\x80", b"<b a=\"1\">&amp;'</b>]]>", "\u202e\u200b\ufeff".encode(),
    "e\u0301 \U0001f4a9 \u4e2d".encode(), b"\xf4\x90\x80\x80", b" lead and trail ", b"", b"%s%n{0}", b"\xc3",
]  # fmt: skip


def restored(text: str) -> bytes:
    """Undoes the escape, as its description says."""
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|(\\))",
        lambda match: bytes([int(match[1], 16)]) if match[1] else match[2],
        text.encode("utf-8"),
    )


def through_xml(raw: bytes) -> str:
    element = etree.fromstring(b'<a t="' + spelled(raw).encode("utf-8") + b'"/>', PARSER)
    return element.get("t", "missing")


@pytest.mark.parametrize("raw", NAUGHTY)
def test_naughty_bytes_come_back(raw: bytes) -> None:
    assert restored(through_xml(raw)) == raw


@given(st.one_of(st.binary(max_size=200), st.text(max_size=60).map(str.encode)))
def test_every_byte_string_comes_back(raw: bytes) -> None:
    text = through_xml(raw)
    assert text == escaped(raw)
    assert restored(text) == raw
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in text)


@given(st.binary(min_size=300, max_size=5_000))
def test_long_text_is_cut_between_characters(raw: bytes) -> None:
    text = escaped(raw)
    assert len(text) <= LONGEST
    if restored(text) != raw:
        assert raw.startswith(restored(text[:-17]))
        assert re.fullmatch("~[0-9a-f]{16}", text[-17:])


def test_long_names_that_differ_stay_different() -> None:
    assert len({escaped(b"/mnt/" + b"x" * 3_000 + end) for end in (b"", b"1", b"2", b"\n")}) == 4
    assert escaped(b"x" * LONGEST) == "x" * LONGEST


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (2**63 - 1, "9223372036854775807"), (0.0, "0"), (10.0, "10"), (0.5, "0.5"), (1e-9, "0"),
     (1795256808.005096, "1795256808.005096"), (999999999999999.0, "999999999999999")],
)  # fmt: skip
def test_numbers_are_plain_decimals(value: float, text: str) -> None:
    assert spelled(value) == text


def test_a_collection_nobody_ran_is_a_report_that_says_so() -> None:
    root = etree.fromstring(report({"host": "<web1>"}, Collection(["load", "cpu"], 0.5).readings), PARSER)
    assert root.get("host") == "<web1>"
    assert [[section.get("name") for section in reading] for reading in root] == [["cpu"], ["cpu", "load"]]
    assert {section.get("status") for section in root.iter("section")} == {"timeout"}


def told(name: str, *texts: bytes, nonce: str, after: str = "", known: Told | None = None) -> bytes:
    """A report with one section of such rows, as answer to a request."""
    reading = Reading([name])
    reading.sections[0].outcome = ("ok", "", 0.5, [("row", {"text": text}) for text in texts])
    return report({"host": "web1"}, [reading], known, {"nonce": nonce, "after": after})


def test_a_section_that_did_not_change_is_not_sent_to_who_has_it() -> None:
    known = Told()
    assert b"<row" in told("mounts", b"/a", nonce="01", known=known)
    again = told("mounts", b"/a", nonce="02", after="01", known=known)
    assert b'same="1"' in again
    assert b"<row" not in again
    changed = told("mounts", b"/a", b"/b", nonce="03", after="02", known=known)
    assert b"same=" not in changed
    assert changed.count(b"<row") == 2


@pytest.mark.parametrize("after", ["", "00", "03"])
def test_who_does_not_have_the_newest_report_is_sent_everything(after: str) -> None:
    known = Told()
    told("mounts", b"/a", nonce="00", known=known)
    told("mounts", b"/a", nonce="01", after="00", known=known)
    assert b"<row" in told("mounts", b"/a", nonce="02", after=after, known=known)


@pytest.mark.parametrize("name", ["kernel", "people", "logs"])
def test_what_is_told_once_is_never_the_same(name: str) -> None:
    known = Told()
    told(name, b"once", nonce="01", known=known)
    assert b"<row" in told(name, b"once", nonce="02", after="01", known=known)


def test_an_empty_section_says_nothing_of_being_the_same() -> None:
    known = Told()
    told("mounts", nonce="01", known=known)
    assert b"same" not in told("mounts", nonce="02", after="01", known=known)


def test_the_first_of_two_readings_is_always_whole() -> None:
    known = Told()
    told("cpu", b"all", nonce="01", known=known)
    readings = [Reading(["cpu"]), Reading(["cpu"])]
    for one in readings:
        one.sections[0].outcome = ("ok", "", 0.5, [("row", {"text": b"all"})])
    both = report({}, readings, known, {"nonce": "02", "after": "01"})
    assert (both.count(b"<row"), both.count(b"same=")) == (1, 1)
    assert both.index(b"<row") < both.index(b"same=")


def test_after_a_report_that_could_not_be_written_everything_is_sent() -> None:
    known = Told()
    told("mounts", b"/a", nonce="01", known=known)
    broken = Reading(["mounts"])
    broken.sections[0].outcome = ("ok", "", 0.5, [("row", {"text": None})])  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        report({}, [broken], known, {"nonce": "02", "after": "01"})
    assert b"<row" in told("mounts", b"/a", nonce="03", after="01", known=known)

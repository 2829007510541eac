"""The text of a rule remembers where in the file each of its characters stands."""

from __future__ import annotations

from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as some

from poller.config.document import parse
from poller.config.mistakes import Mistakes
from poller.config.source import Source, pointed

# Pieces of a rule's content: as written, and as XML gives it.
PIECES = some.one_of(
    some.text(some.characters(codec="ascii", exclude_characters="<&\r", exclude_categories=["Cc"]), max_size=8).map(
        lambda text: (escape(text), text)
    ),
    some.sampled_from(
        [("\n", "\n"), ("&lt;", "<"), ("&#60;", "<"), ("&#x3C;", "<"), ("&amp;", "&"), ("&quot;", '"'),
         ("<!-- < > -->", ""), ("<!-- </rule> -->", ""), ("<![CDATA[a<b&&]]>", "a<b&&"), ("<?x y?>", ""),
         ("\u00e4", "\u00e4")]
    ),
)  # fmt: skip


@given(some.lists(PIECES, max_size=12))
def test_the_text_is_what_xml_makes_of_it_and_its_places_lead_back(pieces: list[tuple[str, str]]) -> None:
    written = "".join(raw for raw, _ in pieces)
    file = f"<poller>\n <host name='a'><rule name='r'>{written}</rule></host></poller>"
    (host,) = parse(file.encode(), Mistakes("f")).children
    source = host.children[0].sources[""]
    assert source.text == "".join(text for _, text in pieces)
    lines = file.split("\n")
    for position, sign in enumerate(source.text):
        line, column = source.place(position)
        if sign == "\n":
            assert column == len(lines[line - 1]) + 1
        else:
            assert lines[line - 1][column - 1] in (sign, "&")


def test_an_attribute_counts_a_line_end_as_a_blank() -> None:
    source = Source("a &gt;\n  b", 7, 20, attribute=True)
    assert source.text == "a >   b"
    assert [source.place(position) for position in (0, 2, 6, 7, 99)] == [(7, 20), (7, 22), (8, 3), (8, 4), (8, 4)]


def test_an_empty_text_has_a_place_too() -> None:
    assert Source("", 3, 5).place(0) == (3, 5)


@given(some.text(max_size=300), some.integers(0, 320), some.integers(1, 400))
def test_whatever_the_text_the_caret_stands_below_one_short_line(text: str, position: int, length: int) -> None:
    shown, caret = pointed(text, position, length).split("\n")
    assert len(shown) <= 110 and len(caret) <= 400 and shown.isprintable()
    assert caret.strip(" ").startswith("^") and set(caret) <= set(" ^~")

"""A file that is no configuration at all ends in one sentence: damaged XML, wrong encoding, wrong kind, wrong owner."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from poller.config import load
from poller.config.document import MOST_BYTES
from poller.errors import ConfigError, Mistake
from tests.config.files import environ, loaded, mistakes, seen, write

DAMAGED = [
    (b"<poller>\n<group name='a'>\n</poller>", 3, "</poller> stands here but <group> of line 2 is open"),
    (b"<poller>\n<group name='a'>\n", 3, "the file ends while <group> of line 2 is still open"),
    (b"<poller>\n<group name='a'\n", 3, "the tag <group is not closed with >"),
    (b"<poller>\n<group name='a\n", 3, "the quote of an attribute's value is not closed"),
    (b"<poller>\n<group name='a' name='b'/></poller>", 2, "name= stands twice in one tag"),
    (b"<poller>\n<group name=a/></poller>", 2, "an attribute's value must stand in quotes"),
    (b"<poller>\n<group name='a'tags='b'/></poller>", 2, "a space is missing between two attributes, or a quote"),
    (b"<poller>\n<group name='<'/></poller>", 2, 'a "<" stands inside a value; write &lt;, or close the quote'),
    (b"<poller>\n<group name/></poller>", 2, 'name has no value; write name="\u2026"'),
    (b"<poller>\n<group name='a & b'/></poller>", 2, 'a lone "&" stands here; write &amp;'),
    (b"<poller>\n<group name='&b;'/></poller>", 2, '&b; is not defined; write &amp; for a plain "&"'),
    (b"<poller/>\n<group/>", 2, "something stands behind the end of </poller>"),
    (b"<poller>\n a < b</poller>", 2, 'a "<" stands here that begins no element; write &lt;'),
    (b"<poller>\n<!-- a </poller>", 2, "a comment is not closed with -->"),
    (b"<poller>\n<!-- a -- b --></poller>", 2, 'a comment holds "--"'),
    (b"<poller>\n<a:b/></poller>", 2, "a: is a prefix that means nothing here"),
    (b"<poller>\n\x01</poller>", 2, "a control character stands here"),
    (b"hello", 1, "this is not XML: no element begins here"),
    (b"<poller>" * 300, 1, "elements are nested too deeply"),
    (b"<hosts/>", 1, "the outermost element is <hosts>; it must be <poller>"),
    (b"<poller>\n\0</poller>", 2, "a NUL byte stands here; the file must be UTF-8 text"),
    (b"<poller>\n<!-- \xe9 --></poller>", 2, "these bytes are not UTF-8"),
    (b"<?xml version='1.0' encoding='iso-8859-1'?><poller/>", 1,
     "the encoding iso-8859-1 is declared; the file must be UTF-8"),
    ("<poller/>".encode("utf-16"), 0, "the file is UTF-16; it must be UTF-8"),
    ("<poller/>".encode("utf-16-be"), 0, "the file is UTF-16; it must be UTF-8"),
    (b"", 0, "the file is empty"),
    (b" \n\n", 0, "the file is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "line", "sentence"), DAMAGED)
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path, data: bytes, line: int, sentence: str) -> None:
    assert seen(mistakes(tmp_path, data)) == [(line, sentence)]


def test_mistakes_of_an_earlier_file_are_not_told_again(tmp_path: Path) -> None:
    mistakes(tmp_path, b"<poller>\n\n<group name=a/></poller>")
    assert seen(mistakes(tmp_path, b"<poller>\n&b;</poller>"))[0][0] == 2


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE poller [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE poller SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE poller [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_a_doctype_is_refused_before_anything_is_expanded(tmp_path: Path, doctype: str) -> None:
    found = mistakes(tmp_path, f"<!-- <!DOCTYPE in a comment is none -->\n{doctype}\n<poller>&b;</poller>")
    assert seen(found) == [(2, "a DOCTYPE stands here; config.xml has none, and entities are not expanded")]


def test_an_xinclude_is_not_followed(tmp_path: Path) -> None:
    text = "<poller xmlns:xi='http://www.w3.org/2001/XInclude'>\n<xi:include href='/etc/passwd' parse='text'/></poller>"
    ((line, sentence),) = seen(mistakes(tmp_path, text))
    assert line == 2 and "is not an element of config.xml" in sentence


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf<poller><host name='a'/></poller>",
        b"<?xml version='1.0' encoding='UTF-8'?>\r\n<poller>\r\n<host name='a'/>\r\n</poller>\r\n",
        b"<?xml-model href='config.xsd'?><poller><?x <host ?><host name='a'></host></poller>",
        "<poller><!-- ä --><host name='a' user='mönch'/></poller>".encode(),
    ],
)
def test_a_byte_order_mark_dos_lines_and_processing_instructions_do_no_harm(tmp_path: Path, text: bytes) -> None:
    assert [host.name for host in loaded(tmp_path, text).hosts] == ["a"]


def refused(path: Path, folder: Path) -> Mistake:
    with pytest.raises(ConfigError) as caught:
        load(path, environ(folder))
    (found,) = caught.value.mistakes
    return found


def test_a_missing_file_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.xml", tmp_path).sentence == "the file does not exist"
    assert refused(tmp_path, tmp_path).sentence == "the file is not a regular file"
    assert refused(Path("/dev/zero"), tmp_path).sentence == "the file is not a regular file"


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe", tmp_path).sentence == "the file is not a regular file"


def test_a_file_that_cannot_be_opened_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.xml").symlink_to("b.xml")
    (tmp_path / "b.xml").symlink_to("a.xml")
    assert refused(tmp_path / "a.xml", tmp_path).sentence.startswith("the file cannot be opened: ")


def test_a_file_larger_than_the_bound_is_refused_without_being_parsed(tmp_path: Path) -> None:
    path = write(tmp_path, b"<poller>")
    with path.open("r+b") as file:
        file.truncate(MOST_BYTES * 6)  # sparse: 96 MiB that take no room
    assert refused(path, tmp_path).sentence == "the file is larger than 16 MiB"


def test_a_symbolic_link_is_followed_and_its_folder_is_where_paths_start(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = write(tmp_path / "real", "<poller><journal path='poller.db'/></poller>")
    (tmp_path / "config.xml").symlink_to(target)
    assert load(tmp_path / "config.xml", environ(tmp_path)).journal == tmp_path / "poller.db"


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602, 0o777])
def test_a_file_that_others_may_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, "<poller/>")
    path.chmod(mode)
    found = refused(path, tmp_path)
    assert found.sentence == "the file may be changed by other users"
    assert found.hint == f"chmod go-w {path}"


def test_the_mode_that_counts_is_that_of_the_file_behind_a_link(tmp_path: Path) -> None:
    target = write(tmp_path, "<poller/>", "real.xml")
    (tmp_path / "link.xml").symlink_to(target)
    assert load(tmp_path / "link.xml", environ(tmp_path)).hosts == ()
    target.chmod(0o666)
    assert "chmod" in refused(tmp_path / "link.xml", tmp_path).hint


@pytest.mark.parametrize(
    "part", [b"<a", b"<!--", b"<?", b"<a b='", b"<a b=", b"<![CDATA[", b"&a;", b"<poller>", b"  ", b"<poller a='"]
)
def test_a_large_damaged_file_is_refused_quickly(tmp_path: Path, part: bytes) -> None:
    path = write(tmp_path, part * (4 * 2**20 // len(part)))
    start = time.perf_counter()
    assert refused(path, tmp_path).sentence
    assert time.perf_counter() - start < 5


def test_a_large_right_file_is_read_in_one_pass(tmp_path: Path) -> None:
    comment = b"<!-- <host name='x' port='y'/> -->\n"
    path = write(tmp_path, b"<poller>" + comment * 100_000 + b"<host name='a'/></poller>")
    assert load(path, environ(tmp_path)).hosts[0].where == f"{path}:100001"

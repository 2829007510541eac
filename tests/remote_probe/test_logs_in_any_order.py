"""Whatever happens to a log between polls, and in whatever order: no line is told twice, and none is left out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.remote_probe.logs import Reader, Writer, copy_truncate, pack, rename, tick


def write(reader: Reader, writer: Writer) -> None:
    writer.write(2)


def write_much(reader: Reader, writer: Writer) -> None:
    writer.write(40, text=b"x" * 30)


def poll(reader: Reader, writer: Writer) -> None:
    reader.poll()


def poll_little(reader: Reader, writer: Writer) -> None:
    reader.poll(lines=7)


def lose_the_answer(reader: Reader, writer: Writer) -> None:
    reader.poll(keep=False)


def rotate(reader: Reader, writer: Writer) -> None:
    rename(reader.file)


def rotate_and_pack(reader: Reader, writer: Writer) -> None:
    rename(reader.file, packed=True)


def rotate_and_pack_the_one_before(reader: Reader, writer: Writer) -> None:
    rename(reader.file)
    second = reader.folder / "app.log.2"
    if second.exists():
        pack(second)


def copy(reader: Reader, writer: Writer) -> None:
    copy_truncate(reader.file)


def copy_and_pack(reader: Reader, writer: Writer) -> None:
    copy_truncate(reader.file, packed=True)


def go_and_come(reader: Reader, writer: Writer) -> None:
    away = reader.file.rename(reader.root / "away")
    reader.poll()
    away.rename(reader.file)


def truncate(reader: Reader, writer: Writer) -> None:
    os.truncate(reader.file, 0)


Step = Callable[[Reader, Writer], None]
KEEPS: Final[list[Step]] = [
    write, write, write_much, poll, poll, poll_little, lose_the_answer, go_and_come,
    rotate, rotate_and_pack, rotate_and_pack_the_one_before, copy, copy_and_pack,
]  # fmt: skip


def told(steps: list[Step]) -> tuple[list[bytes], list[bytes]]:
    """(lines that were told, lines that were written)"""
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder))
        writer = Writer(reader.file)
        writer.write(1)
        reader.poll()
        for step in steps:
            tick(reader.folder)
            step(reader, writer)
        tick(reader.folder)
        writer.write(1)
        reader.poll()
        return reader.lines, writer.all


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(KEEPS), max_size=15))
def test_every_line_is_told_once_and_in_order(steps: list[Step]) -> None:
    lines, written = told(steps)
    assert lines == written


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*KEEPS, truncate, truncate]), max_size=15))
def test_no_line_is_told_twice_even_if_some_were_thrown_away(steps: list[Step]) -> None:
    lines, written = told(steps)
    assert sorted(set(lines)) == sorted(lines)
    assert set(lines) <= set(written)
    assert lines[-1] == written[-1]

"""Logs are read each line once, whatever rotation does to them between two polls."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_probe.collectors.logs import KEEP, LONG, parse_chunk
from remote_probe.collectors.logs_rotation import parse_bases, parse_own
from tests.remote_probe.logs import Reader, Writer, copy_truncate, pack, rename, tick


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture
def writer(reader: Reader) -> Writer:
    return Writer(reader.file)


def test_the_first_contact_begins_at_the_end(tmp_path: Path) -> None:
    reader = Reader(tmp_path, start=False)
    writer = Writer(reader.file)
    writer.write(5)
    assert reader.poll() == []
    assert reader.poll() == []
    assert reader.poll() + writer.write(2) == reader.poll()


def test_the_first_contact_begins_at_the_beginning_when_told(reader: Reader, writer: Writer) -> None:
    assert writer.write(5) == reader.poll()
    assert reader.poll() == []


def test_an_answer_that_was_lost_is_given_again(reader: Reader, writer: Writer) -> None:
    writer.write(5)
    assert reader.poll(keep=False) == reader.poll() == writer.all


def test_a_log_that_comes_later_counts_from_its_first_line(tmp_path: Path) -> None:
    reader = Reader(tmp_path, start=False)
    assert reader.poll() == []
    assert (reader.source["state"], reader.source["reason"]) == ("absent", "No such file or directory")
    assert Writer(reader.file).write(3) == reader.poll()
    assert reader.source["state"] == "ok"


def test_a_line_waits_for_its_newline(reader: Reader, writer: Writer) -> None:
    writer.write(1)
    reader.file.open("ab").write(b"half")
    assert len(reader.poll()) == 1
    assert (reader.source["state"], reader.source["behind"]) == ("ok", 0)
    reader.file.open("ab").write(b" of it\n")
    assert reader.poll() == [b"half of it"]


def test_the_last_line_of_a_file_that_was_rotated_needs_no_newline(reader: Reader, writer: Writer) -> None:
    writer.write(1)
    reader.poll()
    reader.file.open("ab").write(b"the end")
    rename(reader.file)
    assert reader.poll() == []
    assert [b"the end", *writer.write(1)] == reader.poll()


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("packed", [False, True])
def test_every_line_is_told_once_over_rotations(reader: Reader, writer: Writer, times: int, packed: bool) -> None:
    writer.write(3)
    reader.poll()
    for _ in range(times):
        writer.write(3)
        tick(reader.folder)
        rename(reader.file, packed=packed)
    writer.write(3)
    reader.poll()
    assert reader.lines == writer.all


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("packed", [False, True])
def test_every_line_is_told_once_over_copies(reader: Reader, writer: Writer, times: int, packed: bool) -> None:
    writer.write(3)
    reader.poll()
    for _ in range(times):
        writer.write(3)
        tick(reader.folder)
        copy_truncate(reader.file, packed=packed)
    writer.write(3)
    reader.poll()
    assert reader.lines == writer.all


def test_a_truncated_file_that_grew_beyond_what_was_read_is_read_from_its_beginning(
    reader: Reader, writer: Writer
) -> None:
    writer.write(3)
    reader.poll()
    os.truncate(reader.file, 0)
    writer.write(50)
    reader.poll()
    assert reader.lines == writer.all


def test_what_a_service_writes_to_the_old_file_until_it_opens_the_new_one_counts(
    reader: Reader, writer: Writer
) -> None:
    writer.write(3)
    reader.poll()
    with reader.file.open("ab") as old:
        rename(reader.file)
        reader.poll()
        old.write(b"late\n")
    assert reader.poll() == [b"late"]
    assert reader.poll() + writer.write(1) == reader.poll()


def test_a_file_that_is_just_being_compressed_is_read_once(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    for _ in range(2):
        writer.write(3)
        tick(reader.folder)
        rename(reader.file)
    first = reader.folder / "app.log.1"
    (reader.folder / "app.log.1.gz").write_bytes(gzip.compress(first.read_bytes())[:-9])
    (reader.folder / "app.log.2.gz").write_bytes(b"")
    reader.poll()
    assert reader.lines == writer.all


def test_a_copy_of_what_is_not_truncated_yet_is_not_read_twice(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    copy_truncate(reader.file)
    reader.poll()
    writer.write(30)
    first = reader.folder / "app.log.1"
    first.rename(reader.folder / "app.log.2")
    whole = reader.file.read_bytes()
    for copied in (whole[:100], whole[:300], whole):
        first.write_bytes(copied)
        assert reader.poll(keep=False) == writer.all[3:]
    os.truncate(reader.file, 0)
    writer.write(1)
    reader.poll()
    assert reader.lines == writer.all


def test_dates_in_names_are_rotation_too(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    for day in ("20261120", "20261121"):
        writer.write(3)
        tick(reader.folder)
        reader.file.rename(reader.folder / f"app.log-{day}")
    pack(reader.folder / "app.log-20261120")
    writer.write(3)
    reader.poll()
    assert reader.lines == writer.all


def test_a_file_that_is_away_for_a_while_is_read_on(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    writer.write(2)
    aside = reader.file.rename(reader.root / "aside")
    assert reader.poll() == []
    assert reader.source["state"] == "absent"
    aside.rename(reader.file)
    reader.poll()
    assert reader.lines == writer.all


def test_a_file_that_was_replaced_by_a_longer_copy_is_read_on(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    writer.write(2)
    shutil.copy(reader.file, reader.folder / "copy")
    (reader.folder / "copy").rename(reader.file)
    reader.poll()
    assert reader.lines == writer.all


def test_another_file_with_the_same_inode_is_another_file(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    reader.file.write_bytes(b"")
    with reader.file.open("wb") as file:
        file.write(b"something else that is longer than what stood there before\n")
    assert reader.poll() == [b"something else that is longer than what stood there before"]


def test_what_is_gone_unread_is_counted(reader: Reader, writer: Writer) -> None:
    writer.write(100)
    assert len(reader.poll(lines=10)) == 10
    os.truncate(reader.file, 0)
    writer.write(1)
    assert reader.poll() == writer.all[-1:]
    assert reader.source["lost"] == sum(len(line) + 1 for line in writer.all[10:100])
    assert "before it was read" in reader.source["reason"]


def test_a_backlog_comes_in_slices_that_say_so(reader: Reader, writer: Writer) -> None:
    writer.write(100)
    for part in range(10):
        assert len(reader.poll(lines=10)) == 10
        rest = sum(len(line) + 1 for line in writer.all[10 * part + 10 :])
        assert (reader.source["state"], reader.source["behind"]) == (("behind", rest) if rest else ("ok", 0))
    assert reader.lines == writer.all


def test_a_backlog_is_bounded_in_bytes_too(reader: Reader, writer: Writer) -> None:
    writer.write(100, text=b"x" * 1000)
    assert len(reader.poll(size=10_000)) < 12
    while reader.source["state"] == "behind":
        assert reader.poll(size=10_000)
    assert reader.lines == writer.all


def test_a_slice_may_end_in_a_file_that_was_rotated(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    for _ in range(3):
        writer.write(20)
        tick(reader.folder)
        rename(reader.file, packed=True)
    writer.write(20)
    while len(reader.lines) < len(writer.all):
        assert reader.poll(lines=7)
        rename(reader.file) if len(reader.lines) == 45 else None
    assert reader.lines == writer.all


def test_one_burst_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    reader = Reader(tmp_path, "/log/*.log")
    for name in "abc":
        Writer(reader.folder / f"{name}.log").write(1000 if name == "a" else 10)
    reader.poll(lines=100)
    behind = {path: source["behind"] for path, source in reader.sources.items()}
    assert behind["/log/a.log"] > 0
    assert behind["/log/b.log"] == behind["/log/c.log"] == 0
    assert len(reader.lines) == 100


def test_a_pattern_finds_files_that_come_later_and_leaves_out_what_rotation_made(tmp_path: Path) -> None:
    reader = Reader(tmp_path, "/log/*", start=False)
    Writer(reader.folder / "old.log").write(3)
    assert reader.poll() == []
    new = Writer(reader.folder / "new.log")
    new.write(3)
    assert reader.poll() == new.all
    tick(reader.folder)
    rename(new.file)
    rename(new.file, packed=True)
    new.write(3)
    reader.poll()
    assert reader.lines == new.all
    assert set(reader.sources) == {"/log/old.log", "/log/new.log"}


def test_a_pattern_that_nothing_fits_is_absent_and_what_comes_then_counts(tmp_path: Path) -> None:
    reader = Reader(tmp_path, "/log/*/x-[0-9].txt", start=False)
    reader.poll()
    assert {path: source["state"] for path, source in reader.sources.items()} == {"/log/*/x-[0-9].txt": "absent"}
    (reader.folder / "sub").mkdir()
    assert Writer(reader.folder / "sub" / "x-1.txt").write(2) == reader.poll()


def test_a_pattern_that_too_much_fits_says_so(tmp_path: Path) -> None:
    reader = Reader(tmp_path, "/log/*.log")
    for number in range(103):
        (reader.folder / f"{number:03}.log").write_bytes(b"line\n")
    assert len(reader.poll()) == 100
    assert reader.sources["/log/*.log"]["state"] == "failed"
    assert "103 files" in reader.sources["/log/*.log"]["reason"]


def test_a_file_with_two_names_is_read_once(tmp_path: Path) -> None:
    reader = Reader(tmp_path, "/log/*.log")
    writer = Writer(reader.file)
    writer.write(3)
    (reader.folder / "current.log").symlink_to("app.log")
    (reader.folder / "hard.log").hardlink_to(reader.file)
    assert reader.poll() == writer.all


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    os.mkfifo(reader.file)
    reader.poll()
    assert (reader.source["state"], reader.source["reason"]) == ("failed", "no regular file")
    reader.file.unlink()
    reader.file.mkdir()
    reader.poll()
    assert reader.source["reason"] == "no regular file"
    reader.file.rmdir()
    reader.file.symlink_to("/dev/zero")
    reader.poll()
    assert reader.source["reason"] == "no regular file"


def test_a_link_that_somebody_else_made_is_refused(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    secret = reader.folder / "secret"
    secret.write_bytes(b"secret\n")
    reader.file.symlink_to(secret)
    assert reader.poll() == [b"secret"]
    os.chown(reader.file, 12345, 12345, follow_symlinks=False)
    assert reader.poll() == []
    assert (reader.source["state"], reader.source["reason"]) == ("denied", "a link that somebody else made")


def test_a_file_that_is_not_ours_to_read_is_denied_and_comes_from_its_end_when_it_is(tmp_path: Path) -> None:
    reader = Reader(tmp_path, start=False)
    writer = Writer(reader.file)
    writer.write(3)
    reader.file.chmod(0)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        reader.poll()
        os._exit(0 if (reader.source["state"], reader.source["cursor"], reader.lines) == ("denied", "", []) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    reader.cursors = {"/log/app.log": ""}
    assert reader.poll() == []
    assert writer.write(1) == reader.poll()


def test_a_line_without_end_is_cut_and_the_next_one_is_whole(reader: Reader) -> None:
    with reader.file.open("ab") as file:
        file.write(b"x" * (1 << 20))
    assert reader.poll() == [b"x" * KEEP]
    with reader.file.open("ab") as file:
        file.write(b"y" * (1 << 20) + b"\nnext\n")
    assert reader.poll() == [b"next"]
    assert reader.source["lost"] > 1 << 20


def test_holes_and_nul_bytes_are_skipped(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.poll()
    with reader.file.open("r+b") as file:
        os.truncate(reader.file, 0)
        file.seek(1 << 30)
        file.write(b"after a hole\nand \0 one\n")
    assert reader.poll() == [b"after a hole", b"and \0 one"]
    assert reader.poll() == []


def test_megabytes_of_nul_bytes_do_not_hold_up_the_poll(reader: Reader) -> None:
    reader.file.write_bytes(b"one\n" + bytes(3 << 20) + b"two\n")
    assert reader.poll(size=1 << 20) == [b"one"]
    assert reader.source["state"] == "behind"
    assert reader.poll(size=1 << 20) + reader.poll(size=1 << 20) + reader.poll(size=1 << 20) == [b"two"]


def test_room_that_was_reserved_in_a_file_is_waited_for(reader: Reader) -> None:
    with reader.file.open("wb") as file:
        file.write(b"one\n")
        file.write(bytes(1000))
        file.flush()
        assert reader.poll() == [b"one"]
        assert reader.poll() == []
        file.seek(4)
        file.write(b"two\n")
    assert reader.poll() == [b"two"]


def test_bytes_that_are_no_text_and_windows_newlines_come_through(reader: Reader) -> None:
    reader.file.write_bytes(b"\xff\xfe\x1b[31m\r\n]]>&<\r\n\xc3\xa4\n")
    assert reader.poll() == [b"\xff\xfe\x1b[31m", b"]]>&<", b"\xc3\xa4"]


def test_a_cursor_that_makes_no_sense_is_a_state_and_no_crash(reader: Reader, writer: Writer) -> None:
    writer.write(3)
    reader.cursors["/log/app.log"] = "1:2:x"
    assert reader.poll() == []
    assert reader.source["state"] == "failed"


def test_a_chunk_ends_with_its_last_whole_line() -> None:
    assert parse_chunk(b"a\nb\nc", b"", 10, 100) == ([b"a", b"b"], 4, 0)
    assert parse_chunk(b"a\nb\nc", b"", 1, 100) == ([b"a"], 2, 0)
    assert parse_chunk(b"aa\nbb\nc", b"\n", 10, 4) == ([b"aa"], 3, 0)
    assert parse_chunk(b"rest\nb\n", b"x", 10, 100) == ([b"b"], 7, 5)
    assert parse_chunk(b"\0\0b\n", b"\n", 10, 100) == ([b"b"], 4, 0)
    assert parse_chunk(b"\0\0", b"\n", 10, 100) == ([], 0, 0)
    assert parse_chunk(b"x" * (LONG + 1), b"", 10, 100) == ([b"x" * KEEP], LONG + 1, 0)


@given(
    st.lists(st.sampled_from([b"", b"a", b"bb\r", b"\0", b"c" * 3000, b"d" * 70_000])),
    st.sampled_from([b"", b"\n", b"\0", b"x"]),
    st.integers(1, 4),
    st.integers(1, 5000),
)
def test_no_chunk_is_used_beyond_its_last_newline_unless_it_is_very_long(
    parts: list[bytes], before: bytes, most: int, size: int
) -> None:
    data = b"\n".join(parts)
    lines, used, lost = parse_chunk(data, before, most, size)
    assert len(lines) <= most
    assert lost <= used <= len(data)
    assert used == 0 or data[used - 1 : used] == b"\n" or len(data) > LONG or before == b"x"
    assert all(len(line) <= KEEP and b"\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        (b"auth.log.1", {b"auth.log"}),
        (b"auth.log.12.gz", {b"auth.log"}),
        (b"auth.log-20261121", {b"auth.log"}),
        (b"auth.log-20261121-1795.gz", {b"auth.log"}),
        (b"auth.log.2026-11-21", {b"auth.log"}),
        (b"auth-20261121.log", {b"auth.log", b"auth"}),
        (b"auth.log.old", {b"auth.log"}),
        (b"auth.log", set()),
        (b"worker-2", set()),
    ],
)
def test_names_that_rotation_gives_are_known(name: bytes, bases: set[bytes]) -> None:
    assert parse_bases(name) <= bases
    assert bool(parse_bases(name)) == bool(bases)


def test_what_has_no_log_beside_it_is_a_log_of_its_own() -> None:
    paths = [b"/a/db-2026-11-20.log", b"/a/db-2026-11-21.log", b"/a/x", b"/a/x.1", b"/a/y.gz", b"/b/x.1"]
    assert parse_own(paths) == [b"/a/db-2026-11-20.log", b"/a/db-2026-11-21.log", b"/a/x", b"/b/x.1"]

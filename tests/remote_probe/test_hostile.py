"""An unprivileged user of a host must not be able to blind the monitor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from poller.model import (
    FileSystem,
    KernelMessage,
    Login,
    LoginRecord,
    LogSource,
    LogText,
    Mount,
    People,
    Process,
    Processes,
    Report,
    Row,
    UsbDevice,
)
from poller.probe.report import parse
from poller.probe.wanted import BYTES, LINES
from remote_probe.__main__ import Captured, report
from remote_probe.collectors import NAMES
from remote_probe.host import Host
from tests.remote_probe.test_machines import Wanted
from tests.remote_probe.test_render import restored

NAMES_OF_PROCESSES = [b"\x01) Z 1", b"\n\x1b[31m", b"\xff\xfe", b")", b"<a b='", b"\\x41"]


MACHINES = Path(__file__).parent.parent / "data" / "machines"
# What a terminal, a spreadsheet or XML must never get from a host: C0, DEL, C1, what is no character.
CONTROL = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\ufffe", "\uffff"}


@pytest.mark.parametrize("name", NAMES_OF_PROCESSES)
def test_a_process_with_any_name_is_counted_and_nothing_more(name: bytes) -> None:
    rename = (
        "import sys, os; open('/proc/self/comm', 'wb').write(bytes.fromhex(sys.argv[1])); print(flush=True); input()"
    )
    renamed = [sys.executable, "-c", rename, name.hex()]
    with subprocess.Popen(renamed, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"\n"
        content = Host().read(b"/proc/%d/stat" % process.pid)
        found = parse(report(Host(options={"top": EVERYONE}), ["processes", "top"]), Wanted())
        process.communicate(b"\n")
    assert b"(" + name[:15] in content
    assert isinstance(found.now.rows(Processes)[0], Processes)
    names = {row.pid: row.name for row in found.now.rows(Process) if isinstance(row, Process)}
    assert restored(names[process.pid]) == name[:15]


# Asks for more processes than a machine that runs tests has, with their command lines.
EVERYONE = {"count": 100_000, "commands": True, "names": ["]]>", "\x1b[31m", ""]}


def test_a_command_line_of_any_length_and_bytes_is_shown_cut_and_escaped() -> None:
    words = [b"\x1b]0;owned\x07]]>\xff\n", b"A" * 100_000, b"\x01", b"60"]
    code = b"import sys; print(flush=True); input()"
    command = [words[0], b"-c", code, *words[1:]]
    with subprocess.Popen(command, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"\n"
        found = parse(report(Host(options={"top": EVERYONE}), ["top"]), Wanted())
        process.communicate(b"\n")
    (row,) = (row for row in found.now.rows(Process) if isinstance(row, Process) and row.pid == process.pid)
    assert restored(row.command).startswith(words[0] + b" -c import sys;")
    assert len(row.command) < 1024
    assert inert(found)


@pytest.mark.parametrize(
    "raw", [b"/mnt/new\nline", b"/mnt/\xff\x01\x1b]0;x\x07", b"/mnt/<&\"'>", b"/mnt/" + b"\\" * 900]
)
def test_a_mount_with_any_name_is_reported(tmp_path: Path, raw: bytes) -> None:
    found = parse(report(fuse_mounts(tmp_path, [raw]), ["filesystem", "mounts"]), Wanted())
    (row,) = found.now.rows(FileSystem)
    assert isinstance(row, FileSystem)
    assert row.state == "skipped"
    assert restored(row.mountpoint) == raw or len(row.mountpoint) > 1000
    (mount,) = found.now.rows(Mount)
    assert isinstance(mount, Mount)
    assert (mount.mountpoint, mount.type) == (row.mountpoint, "fuse.any")
    assert inert(found)


def test_mounts_whose_names_differ_only_at_their_far_end_stay_apart(tmp_path: Path) -> None:
    names = [b"/home/u/" + b"x" * 2_000 + b"%d" % number for number in range(50)]
    found = parse(report(fuse_mounts(tmp_path, names), ["filesystem", "mounts"]), Wanted())
    assert len(found.now.rows(FileSystem)) == len(found.now.rows(Mount)) == 50


def test_random_bytes_in_every_file_give_a_report_the_centre_accepts(tmp_path: Path) -> None:
    machine = MACHINES / "rhel-7"
    shutil.copytree(machine / "calls", tmp_path / "calls")
    for source in (path for folder in ("proc", "sys", "etc") for path in (machine / folder).rglob("*")):
        target = tmp_path / source.relative_to(machine)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b'\x00\xff\x1b<&"\\\n' * 9)
    found = parse(report(Captured(os.fsencode(tmp_path)), NAMES), Wanted())
    statuses = {section.name: section.status.value for section in found.now.sections}
    assert statuses["memory"] == statuses["load"] == statuses["filesystem"] == "failed"
    assert all(section.reason for section in found.now.sections if section.status.value != "ok")


def test_a_machine_that_is_hostile_in_every_place_has_a_complete_report_without_a_control_character() -> None:
    found = parse(report(Captured(os.fsencode(MACHINES / "hostile-container")), NAMES), Wanted())
    assert [section.name for section in found.now.sections] == list(NAMES)
    assert inert(found)
    for kind in (UsbDevice, Mount, Process, Login, LoginRecord, LogText, People):
        assert found.now.rows(kind), kind


def test_what_a_stick_says_of_itself_is_kept_byte_for_byte() -> None:
    found = parse(report(Captured(os.fsencode(MACHINES / "hostile-container")), ["usb"]), Wanted())
    devices = {row.port: row for row in found.now.rows(UsbDevice) if isinstance(row, UsbDevice)}
    assert restored(devices["1-1"].serial) == b"60A4\x00\x01\x1b[31mred\x1b[0m\x1b]0;owned\x07\xff\nsecond line"
    assert restored(devices["1-1"].vendor_name).startswith(b"King\x1b[31m")
    assert devices["1-3"].serial == "=cmd|' /C calc'!A0"
    assert len(devices["1-3"].vendor_name) == 1024, "the longest there may be, with a digest of the rest"


def test_a_message_of_the_kernel_with_the_name_of_a_stick_in_it_obeys_nobody() -> None:
    found = parse(report(Captured(os.fsencode(MACHINES / "debian-12")), ["kernel"]), Wanted())
    texts = [row.text for row in found.now.rows(KernelMessage) if isinstance(row, KernelMessage)]
    assert "usb 1-1.2: Manufacturer: King\\x1b[31mston" in texts
    assert inert(found)


def test_every_line_of_a_log_arrives_whatever_is_in_it(tmp_path: Path) -> None:
    """Invalid UTF-8, NUL, markup, ANSI, empty lines; one of a megabyte is cut, and hides none."""
    lines = [
        b"\xff\xfe \x80",
        b"\x00\x00",
        b"]]><![CDATA[",
        b"\x1b[2J\x9b31m",
        b"",
        b"\r",
        "\u202e\u2028".encode(),
        b"\\x41",
    ]
    written = [b"%d " % number + line for number, line in enumerate(lines * 20)]
    written[70] += b"\xff" * (1 << 20)
    texts, cursor, behind = [], "", True
    (tmp_path / "app.log").write_bytes(b"".join(line + b"\n" for line in written))
    while behind:
        found = pulled(tmp_path, cursor)
        assert inert(found)
        texts += [row.text for row in found.now.rows(LogText) if isinstance(row, LogText)]
        (source,) = found.now.rows(LogSource)
        assert isinstance(source, LogSource) and source.cursor != cursor, "it must go on"
        cursor, behind = source.cursor, source.state == "behind"
    assert len(texts) == len(written)
    for number, (text, line) in enumerate(zip(texts, written, strict=True)):
        assert restored(text) == line.rstrip(b"\r") if number != 70 else text.startswith("70 ") and len(text) <= 1024


@pytest.mark.parametrize("line", [b"\xff" * 200, b"&" * 250, b"<\"'>" * 60, b"", b"x" * 119, b"\\" * 900])
def test_no_log_makes_a_report_larger_than_the_centre_takes(tmp_path: Path, line: bytes) -> None:
    """Four megabytes of what takes most room in XML: as much as may be comes, the rest waits for the next poll."""
    content = (line + b"\n") * ((4 << 20) // (len(line) + 1))
    (tmp_path / "app.log").write_bytes(content)
    found = pulled(tmp_path)
    (source,) = found.now.rows(LogSource)
    assert isinstance(source, LogSource)
    assert (source.state, source.lost) == ("behind", 0)
    came = len(found.now.rows(LogText)) * (len(line) + 1)
    assert source.behind == len(content) - came > 0


def pulled(folder: Path, cursor: str = "") -> Report:
    """The report of a machine with this log, asked as the centre asks, from its beginning or from there."""
    path = str(folder / "app.log")
    log = {"name": "app", "path": path, "start": True}
    options = {"logs": {"logs": [log], "lines": LINES, "bytes": BYTES}}
    cursors = {"logs": {"app": {path: cursor}}} if cursor else {}
    return parse(report(Host(options=options, cursors=cursors), ["logs"]), Wanted())


@pytest.mark.parametrize("content", [b"\xff" * 3840, bytes(3840), bytes(range(256)) * 40, b"\x07\x00" * 500, b"cut"])
def test_an_accounting_file_of_any_bytes_gives_a_valid_report(tmp_path: Path, content: bytes) -> None:
    shutil.copytree(MACHINES / "hostile-container", tmp_path / "root", symlinks=True)
    for name in ("run/utmp", "var/log/wtmp"):
        (tmp_path / "root" / name).write_bytes(content)
    found = parse(report(Captured(os.fsencode(tmp_path / "root")), ["people"]), Wanted())
    assert len(found.now.rows(People)) == 1
    assert inert(found)


def inert(found: Report) -> bool:
    """Whether no text of a report holds a character that controls anything."""
    texts = [section.reason for section in found.now.sections]
    texts += [str(value) for section in found.now.sections for row in section.rows for value in values(row)]
    return not CONTROL & {char for text in texts for char in text}


def values(row: Row) -> list[object]:
    return [getattr(row, field.name) for field in fields(row)]


def fuse_mounts(root: Path, names: list[bytes]) -> Host:
    """A machine with these mounts, spelled as the kernel spells them."""
    lines = (
        b"%d 1 0:%d / %s rw - fuse.any any rw\n" % (number, number, spelled(name))
        for number, name in enumerate(names, 40)
    )
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "mountinfo").write_bytes(b"".join(lines))
    (root / "proc" / "filesystems").write_bytes(b"nodev\tfuse\n")
    return Host(os.fsencode(root))


def spelled(name: bytes) -> bytes:
    return b"".join(b"\\%03o" % byte if byte in b" \t\n\\" else bytes([byte]) for byte in name)

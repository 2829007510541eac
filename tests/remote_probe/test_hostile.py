"""An unprivileged user of a host must not be able to blind the monitor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from poller.model import FileSystem, Processes
from poller.probe.report import parse
from remote_probe.__main__ import Captured, report
from remote_probe.collectors import NAMES
from remote_probe.host import Host
from tests.remote_probe.test_machines import Wanted
from tests.remote_probe.test_render import restored

NAMES_OF_PROCESSES = [b"\x01) Z 1", b"\n\x1b[31m", b"\xff\xfe", b")", b"<a b='", b"\\x41"]


@pytest.mark.parametrize("name", NAMES_OF_PROCESSES)
def test_a_process_with_any_name_is_counted_and_nothing_more(name: bytes) -> None:
    rename = (
        "import sys, os; open('/proc/self/comm', 'wb').write(bytes.fromhex(sys.argv[1])); print(flush=True); input()"
    )
    renamed = [sys.executable, "-c", rename, name.hex()]
    with subprocess.Popen(renamed, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"\n"
        content = Host().read(b"/proc/%d/stat" % process.pid)
        found = parse(report(Host(), ["processes"]), Wanted())
        process.communicate(b"\n")
    assert b"(" + name[:15] in content
    assert isinstance(found.now.rows(Processes)[0], Processes)


@pytest.mark.parametrize(
    "raw", [b"/mnt/new\nline", b"/mnt/\xff\x01\x1b]0;x\x07", b"/mnt/<&\"'>", b"/mnt/" + b"\\" * 900]
)
def test_a_mount_with_any_name_is_reported(tmp_path: Path, raw: bytes) -> None:
    machine = fuse_mounts(tmp_path, [raw])
    (row,) = parse(report(machine, ["filesystem"]), Wanted()).now.rows(FileSystem)
    assert isinstance(row, FileSystem)
    assert row.state == "skipped"
    assert restored(row.mountpoint) == raw or len(row.mountpoint) > 1000


def test_mounts_whose_names_differ_only_at_their_far_end_stay_apart(tmp_path: Path) -> None:
    names = [b"/home/u/" + b"x" * 2_000 + b"%d" % number for number in range(50)]
    rows = parse(report(fuse_mounts(tmp_path, names), ["filesystem"]), Wanted()).now.rows(FileSystem)
    assert len(rows) == 50


def test_random_bytes_in_every_file_give_a_report_the_centre_accepts(tmp_path: Path) -> None:
    machine = Path(__file__).parent.parent / "data" / "machines" / "rhel-7"
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

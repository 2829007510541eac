"""Whatever is wrong with the files of a machine, each section says so by itself, and the report is valid."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from poller.model import Report, SectionStatus
from poller.probe.report import parse
from remote_probe.__main__ import Captured, report
from remote_probe.collectors import NAMES
from tests.remote_probe.test_machines import Wanted

MACHINES = Path(__file__).parent.parent / "data" / "machines"
GARBAGE = bytes(range(256)) * 3 + b'\x1b[31m<&"\\]]>\xff\n'
LONG = b"9" * 5_000 + b" " + b"x\xff" * 500_000  # a megabyte without the end of a line
SECONDS = 10.0  # of CPU, for one report of a machine whose every file is as bad as can be


def copied(machine: Path, folder: Path) -> list[Path]:
    """The files of a copy of this machine; its calls are left as they are."""
    shutil.copytree(machine, folder / "root", symlinks=True)
    found = [Path(path) / name for path, _, names in os.walk(folder / "root") for name in names]
    return [path for path in found if not path.is_symlink() and (folder / "root" / "calls") not in path.parents]


def read(folder: Path) -> Report:
    begin = time.process_time()
    xml = report(Captured(os.fsencode(folder / "root")), NAMES)
    assert time.process_time() - begin < SECONDS
    found = parse(xml, Wanted())
    assert [section.name for section in found.now.sections] == list(NAMES)
    for section in found.now.sections:
        assert section.status is SectionStatus.OK or section.reason, section.name
        assert "Error" not in section.reason or section.reason.split(":")[0] in REASONS, section.reason
    return found


# What a collector may let go: what says that a file holds something else than it should. No mistakes of its own.
REASONS = {"ValueError", "OverflowError", "IndexError", "KeyError", "UnicodeDecodeError", "UnicodeEncodeError"}
REASONS |= {"ZeroDivisionError", "JSONDecodeError", "struct.error", "error"}


def empty(path: Path, _shared: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path, _shared: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def linked(path: Path, shared: Path) -> None:
    path.unlink()
    path.hardlink_to(shared)


def folders(path: Path, _shared: Path) -> None:
    path.unlink()
    path.mkdir()


def circles(path: Path, _shared: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def doubled(path: Path, _shared: Path) -> None:
    """Everything twice, where programs and people write, or tables change while they are read: names stay unique."""
    if path.name != "stat" and path.parent.name != "pressure":
        path.write_bytes(path.read_bytes() * 2)


DAMAGES: list[tuple[str, Callable[[Path, Path], None], bytes]] = [
    ("empty", empty, b""),
    ("truncated", truncated, b""),
    ("twice", doubled, b""),
    ("folders", folders, b""),
    ("circles", circles, b""),
    ("garbage", linked, GARBAGE),
    ("long lines", linked, LONG),
    ("a line of minus one", linked, b"-1\n"),
    ("a huge number", linked, b"9" * 400 + b"\n"),
    ("nothing but newlines", linked, b"\n" * 5_000),
]


CASES = [
    pytest.param(machine, damage, content, id=f"{machine}, {name}")
    for name, damage, content in DAMAGES
    for machine in ("debian-12", *(["rocky-8", "many-cores"] if name in ("twice", "garbage") else []))
]


@pytest.mark.parametrize(("machine", "damage", "content"), CASES)
def test_no_collector_breaks_on_broken_files(
    tmp_path: Path, machine: str, damage: Callable[[Path, Path], None], content: bytes
) -> None:
    shared = tmp_path / "shared"
    shared.write_bytes(content)
    for path in copied(MACHINES / machine, tmp_path):
        damage(path, shared)
    read(tmp_path)


def test_a_broken_file_is_a_failed_section_and_the_others_are_as_before(tmp_path: Path) -> None:
    """One file for each section that reads one of its own."""
    copied(MACHINES / "debian-12", tmp_path)
    before = {section.name: section.rows for section in read(tmp_path).now.sections}
    for name, file in {
        "memory": "proc/meminfo", "load": "proc/loadavg", "cpu": "proc/stat", "network": "proc/net/dev",
        "sockets": "proc/net/tcp",
    }.items():  # fmt: skip
        path = tmp_path / "root" / file
        content = path.read_bytes()
        path.write_bytes(b"head: 1\n\xff\x1b: broken\n" * 3)
        found = {section.name: section for section in read(tmp_path).now.sections}
        assert found[name].status is SectionStatus.FAILED, name
        assert {other for other in before if found[other].rows != before[other]} <= {name, *SHARED.get(name, ())}
        path.write_bytes(content)


# Sections that read the file of another one, too.
SHARED = {"cpu": ("people", "system"), "sockets": ("traffic",), "network": ("traffic",)}


AS_NOBODY = """
import os, sys
from poller.probe.payload import sources
for name in sources():
    if not name.endswith("__main__.py"):
        __import__(name[:-3].replace("/", ".").replace(".__init__", ""))
from remote_probe.__main__ import Captured, report
from remote_probe.collectors import NAMES
machine = Captured(os.fsencode(sys.argv[1]))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.stdout.buffer.write(report(machine, NAMES))
"""


def test_what_may_not_be_read_is_denied(tmp_path: Path) -> None:
    """As nobody, where every file and folder of the machine is another user's."""
    for path in copied(MACHINES / "debian-12", tmp_path):
        path.chmod(0)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    command = [sys.executable, "-c", AS_NOBODY, str(tmp_path / "root")]
    ran = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert ran.stderr == b""
    found = parse(ran.stdout, Wanted())
    statuses = {section.name: section.status.value for section in found.now.sections}
    assert set(statuses.values()) <= {"ok", "denied", "absent"}, statuses
    for name in ("cpu", "memory", "load", "filesystem", "network", "mounts", "sockets", "traffic", "people"):
        assert statuses[name] == "denied", name
    (denied,) = {section.reason for section in found.now.sections if section.name == "memory"}
    assert denied == "/proc/meminfo: Permission denied"

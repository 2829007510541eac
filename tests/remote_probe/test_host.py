"""What touches the machine: files, children that are killed in time, the kernel's list of addresses."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from remote_probe import host
from remote_probe.collect import Collection, Section
from remote_probe.host import Host


@pytest.fixture
def before() -> set[psutil.Process]:
    """Other tests of this process may have servers running."""
    return children()


def children() -> set[psutil.Process]:
    return set(psutil.Process().children())


def write(root: Path, **files: str) -> Host:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Host(os.fsencode(root))


def test_paths_are_below_the_root(tmp_path: Path) -> None:
    machine = write(tmp_path, etc__name="one\ntwo\n")
    assert machine.read(b"/etc/name") == b"one\ntwo\n"
    assert machine.text(b"/etc/name") == b"one"
    assert machine.text(b"/etc/other") == b""
    assert machine.names(b"/etc") == [b"name"]


def test_a_file_without_end_is_cut_off() -> None:
    assert len(Host().read(b"/dev/zero")) == host.LARGEST


def test_a_command_gives_its_output_and_leaves_nothing_behind(before: set[psutil.Process]) -> None:
    assert Host().run(["sh", "-c", "echo $LC_ALL; cat; echo lost >&2; sleep 3600 >/dev/null 2>&1 &"], 10) == b"C\n"
    assert children() <= before


def test_a_command_that_does_not_end_is_killed(before: set[psutil.Process]) -> None:
    with pytest.raises(TimeoutError, match="sleep did not end"):
        Host().run(["sleep", "3600"], 0.1)
    with pytest.raises(TimeoutError):
        Host().run(["sh", "-c", "while :; do echo drip; sleep 0.05; done"], 0.3)
    assert children() <= before


def test_a_command_that_is_not_there_is_said_to_be_absent() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-command"):
        Host().run(["no-such-command"], 1)


def test_usage_is_that_of_statvfs(before: set[psutil.Process]) -> None:
    own = os.statvfs("/proc")
    answers = Host().usage([b"/proc", b"/nowhere/at/all"])
    assert answers == {b"/proc": (own.f_frsize, 0, 0, 0, 0, 0), b"/nowhere/at/all": "No such file or directory"}
    assert children() <= before


def test_a_mount_that_does_not_answer_is_stuck_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch, before: set[psutil.Process]
) -> None:
    real = host._ask_usage

    def dying(mountpoints: Sequence[bytes], into: int) -> None:
        for name in mountpoints:
            if name.startswith(b"/dead"):
                time.sleep(3600)
            real([name], into)

    monkeypatch.setattr(host, "_ask_usage", dying)
    monkeypatch.setattr(host, "QUIET", 0.2)
    answers = Host().usage([b"/", b"/dead1", b"/proc", b"/dead2"])
    assert [answers[b"/dead1"], answers[b"/dead2"]] == ["stuck", "stuck"]
    assert isinstance(answers[b"/"], tuple) and isinstance(answers[b"/proc"], tuple)
    assert children() <= before
    late = Host(deadline=time.monotonic() + 0.1).usage([b"/dead1", b"/"])
    assert late == {}, "too little time to call anything stuck"


def test_a_mount_known_to_be_stuck_is_not_touched_while_a_child_hangs_there(tmp_path: Path) -> None:
    write(tmp_path, proc__self__cmdline="python3 -c x", proc__77__cmdline="python3 -c x", proc__77__stat="77 (a) D 1")
    machine = Host(os.fsencode(tmp_path), stuck=lambda name: name == b"/")
    answers = machine.usage([b"/", b"/proc"])
    assert answers[b"/"] == "stuck"
    assert isinstance(answers[b"/proc"], tuple)


def test_of_the_mounts_known_to_be_stuck_one_is_tried_again_when_none_hangs(tmp_path: Path) -> None:
    write(tmp_path, proc__self__cmdline="python3 -c x", proc__77__cmdline="python3 -c x", proc__77__stat="77 (D) S 1")
    answers = Host(os.fsencode(tmp_path), stuck=lambda name: True).usage([b"/", b"/proc", b"/sys"])
    assert sorted(isinstance(answer, tuple) for answer in answers.values()) == [False, False, True]
    assert list(answers.values()).count("stuck") == 2


def test_disks_and_interfaces_may_vanish_while_they_are_read(tmp_path: Path) -> None:
    machine = write(tmp_path, sys__block__sda__size="8\n", sys__block__sda__stat="1 " * 11, sys__block__sdb__size="8\n")
    section = Section("block")
    section.fill(machine)
    status, reason, _, rows = section.outcome
    assert (status, reason, [row["device"] for _, row in rows]) == ("ok", "", [b"sda"])


def test_rows_that_came_before_a_failure_are_kept_with_its_reason(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__stat="cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu1 x\n")
    section = Section("cpu")
    section.fill(machine)
    status, reason, _, rows = section.outcome
    assert (status, len(rows)) == ("ok", 2)
    assert reason.startswith("ValueError: b'cpu1 x' has fewer than four numbers (cpu.py:")


def test_what_is_forbidden_is_denied(tmp_path: Path) -> None:
    class Locked(Host):
        def read(self, path: bytes) -> bytes:
            raise PermissionError(13, "Permission denied", self.root + path)

    section = Section("memory")
    section.fill(Locked(os.fsencode(tmp_path)))
    assert section.outcome[:2] == ("denied", "/proc/meminfo: Permission denied")


def test_pressure_that_is_switched_off_is_absent(tmp_path: Path) -> None:
    class Without(Host):
        def read(self, path: bytes) -> bytes:
            raise OSError(95, "Operation not supported", path)

    section = Section("pressure")
    section.fill(Without(os.fsencode(tmp_path)))
    assert section.outcome[:2] == ("absent", "switched off in the kernel (psi=0)")


def test_processes_others_hide_are_denied_not_miscounted(tmp_path: Path) -> None:
    machine = write(tmp_path, proc__77__stat="77 (sh) S 1\n")
    section = Section("processes")
    section.fill(machine)
    assert section.outcome[0] == "denied"
    (tmp_path / "proc" / "1").mkdir()
    (tmp_path / "proc" / "1" / "stat").write_text("1 (init) S 0\n")
    section.fill(machine)
    assert section.outcome[3][0][1]["total"] == 2


def test_counters_are_read_first_and_mounts_last() -> None:
    turns: list[bytes] = []

    class Witness(Host):
        def read(self, path: bytes) -> bytes:
            turns.append(path)
            return super().read(path)

    Collection(["filesystem", "load", "memory", "cpu"], 0).run(Witness())
    wanted = [b"/proc/stat", b"/proc/meminfo", b"/proc/loadavg", b"/proc/self/mountinfo"]
    assert [path for path in turns if path in wanted] == wanted

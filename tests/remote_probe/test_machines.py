"""Every folder under tests/data/machines gives exactly the report that stands beside it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from poller.model import Check, Device, LogText, Sensor
from poller.probe.report import parse
from remote_probe.__main__ import Captured, main, report
from remote_probe.collectors import NAMES
from remote_probe.host import Host
from tests.remote_probe import capture

MACHINES = sorted(path for path in (Path(__file__).parent.parent / "data" / "machines").iterdir() if path.is_dir())


class Wanted:
    host = "local"
    probe = "0" * 64


@pytest.fixture(autouse=True)
def universal_time() -> Iterator[None]:
    """Captured machines live in UTC; what else runs in this process gets its zone back."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def settled(xml: bytes) -> str:
    """Without what differs from run to run and from one interpreter to the next."""
    return re.sub(r'(?<= )(seconds|python)="[^"]*"', r'\1=""', re.sub(r"\.py:\d+", ".py", xml.decode("utf-8")))


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_captured_machine_gives_the_expected_report(machine: Path) -> None:
    found = report(Captured(os.fsencode(machine)), NAMES)
    assert settled(found) == settled((machine / "expected.xml").read_bytes())


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_the_centre_accepts_the_report_of_every_captured_machine(machine: Path) -> None:
    found = parse(report(Captured(os.fsencode(machine)), NAMES), Wanted())
    assert [section.name for section in found.now.sections] == list(NAMES)


def test_the_command_for_people_prints_the_sections_asked_for(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["--root", f"{MACHINES[0]}/", "load", "cpu"]) == 0
    root = etree.fromstring(capfdbinary.readouterr().out)
    assert [section.get("name") for section in root.iter("section")] == ["cpu", "load"]


def test_the_command_for_people_explains_itself(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["everything"]) == 2
    assert b"usage: python3 -m remote_probe" in capfdbinary.readouterr().err


def test_an_empty_root_gives_a_report_in_which_every_section_says_why(tmp_path: Path) -> None:
    found = parse(report(Captured(os.fsencode(tmp_path)), NAMES), Wanted())
    assert {section.status.value for section in found.now.sections} == {"absent"}
    assert all(section.reason for section in found.now.sections)
    assert found.now.boot_id == "unknown"


def test_the_machines_differ_and_have_every_section_between_them() -> None:
    statuses: dict[str, set[str]] = {name: set() for name in NAMES}
    for machine in MACHINES:
        for section in etree.parse(machine / "expected.xml").iter("section"):
            statuses[str(section.get("name"))].add(str(section.get("status")))
    assert len(MACHINES) >= 5
    assert [name for name, seen in statuses.items() if "ok" not in seen] == []
    assert {status for seen in statuses.values() for status in seen} >= {"ok", "absent", "denied", "failed"}


def test_a_root_that_is_none_is_a_mistake_that_is_named(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["--root", str(tmp_path / "nowhere")]) == 2
    assert b"nowhere: " in capfdbinary.readouterr().err
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "options.json").write_text("{")
    assert main(["--root", str(tmp_path)]) == 2
    assert capfdbinary.readouterr().err.startswith(os.fsencode(tmp_path))


def test_a_captured_machine_answers_for_nothing_but_itself(tmp_path: Path) -> None:
    """No command runs and no socket is asked: what a call would say is in a file, or is not there."""
    (tmp_path / "calls" / "run").mkdir(parents=True)
    (tmp_path / "calls" / "run" / "true").write_bytes(b"captured")
    machine = Captured(os.fsencode(tmp_path))
    assert machine.run(["true"], 1) == b"captured"
    with pytest.raises(FileNotFoundError, match="there is no command sh"):
        machine.run(["sh", "-c", "exit"], 1)
    with pytest.raises(FileNotFoundError, match="there is no command /bin/true"):
        machine.reach("checks").run(["/bin/true"], 1)
    with pytest.raises(FileNotFoundError):
        machine.diag()


def test_a_copy_of_this_machine_reads_as_the_machine_does(tmp_path: Path) -> None:
    (tmp_path / "copy" / "calls").mkdir(parents=True)
    (tmp_path / "app.log").write_text("one\ntwo\n")
    log = {"name": "app", "path": str(tmp_path / "app.log"), "start": True}
    options = {
        "logs": {"logs": [log], "lines": 10, "bytes": 1000},
        "checks": {"checks": [["echo", ["/bin/echo", "OK - fine | a=1"], 5.0]]},
        "top": {"count": 3, "commands": True, "names": ["python3"]},
        "traffic": {"source": "sock_diag", "seconds": 1.0},
    }
    (tmp_path / "copy" / "calls" / "options.json").write_text(json.dumps(options))
    capture.main(str(tmp_path / "copy"))
    here = parse(report(Host(options=options), NAMES), Wanted()).now
    there = parse((tmp_path / "copy" / "expected.xml").read_bytes(), Wanted()).now
    # What a mount or a log says may change between two looks, but not what can be read at all.
    assert {one.name: one.status for one in there.sections} == {one.name: one.status for one in here.sections}
    assert [row.text for row in there.rows(LogText) if isinstance(row, LogText)] == ["one", "two"]
    assert [row.output for row in there.rows(Check) if isinstance(row, Check)] == ["OK - fine"]
    assert there.rows(Device) == here.rows(Device)
    assert there.rows(Sensor) or not here.rows(Sensor)
    assert not list((tmp_path / "copy").rglob("environ")), "where people keep passwords"


def test_people_are_told_how_to_use_it() -> None:
    command = [sys.executable, "-m", "remote_probe"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: python3 -m remote_probe [--root DIR")
    wrong = subprocess.run([*command, "cup"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("usage: ")

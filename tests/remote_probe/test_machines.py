"""Every folder under tests/data/machines gives exactly the report that stands beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from poller.probe.report import parse
from remote_probe.__main__ import Captured, main, report
from remote_probe.collectors import NAMES

MACHINES = sorted(path for path in (Path(__file__).parent.parent / "data" / "machines").iterdir() if path.is_dir())


class Wanted:
    host = "local"
    probe = "0" * 64


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


def test_people_are_told_how_to_use_it() -> None:
    command = [sys.executable, "-m", "remote_probe"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: python3 -m remote_probe [--root DIR]")
    wrong = subprocess.run([*command, "cup"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("usage: ")

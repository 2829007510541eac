"""Systemd units that failed or were asked for. The texts are what systemctl of several versions prints."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from remote_probe.__main__ import Captured, file_of
from remote_probe.collectors import units
from tests.remote_probe.filled import filled, machine

CALL = ("systemctl", "--no-pager")
COUNT = (*CALL, "show", "-p", "NFailedUnits")
FAILED = (*CALL, "list-units", "--state=failed", "--plain", "--no-legend", "--full", "--all")
SHOW = (*CALL, "show", "-p", "Id,LoadState,ActiveState,SubState,Description", "--")

LISTED = """\
apt-daily.service loaded failed failed Daily apt download activities
dev-disk-by\\x2duuid-1.swap loaded failed failed   /dev/disk/by-uuid/1
"""
MARKED = """\
\u25cf kdump.service       loaded failed failed Crash recovery kernel arming
* openipmi.service    loaded failed failed
"""
SHOWN = """\
Id=ssh.service
LoadState=loaded
ActiveState=active
SubState=running
Description=OpenBSD Secure Shell server = sshd

Description=no-such.service
Id=no-such.service
LoadState=not-found
ActiveState=inactive
SubState=dead
"""


def host(root: Path, asked: list[str], answers: dict[tuple[str, ...], str]) -> Captured:
    calls: dict[str, bytes | str] = {f"/calls/run/{file_of(words)}": text for words, text in answers.items()}
    machine(root, {**calls, "/run/systemd/system/": ""})
    captured = Captured(os.fsencode(root))
    captured.options = {"units": {"units": asked}}
    return captured


def test_a_host_on_which_all_is_well_is_asked_once(tmp_path: Path) -> None:
    assert filled(host(tmp_path, [], {COUNT: "NFailedUnits=0\n"}), "units") == ("ok", "", [])


def test_units_that_failed_are_listed(tmp_path: Path) -> None:
    status, reason, rows = filled(host(tmp_path, [], {COUNT: "NFailedUnits=2\n", FAILED: LISTED}), "units")
    assert (status, reason) == ("ok", "")
    assert [row["unit"] for _, row in rows] == [b"apt-daily.service", b"dev-disk-by\\x2duuid-1.swap"]
    assert rows[0] == (
        "unit",
        {
            "unit": b"apt-daily.service",
            "load": b"loaded",
            "active": b"failed",
            "sub": b"failed",
            "description": b"Daily apt download activities",
        },
    )


def test_older_versions_put_a_mark_before_the_name() -> None:
    rows = units.parse_list(MARKED.encode())
    assert [(row["unit"], row["description"]) for row in rows] == [
        (b"kdump.service", b"Crash recovery kernel arming"),
        (b"openipmi.service", b""),
    ]


def test_units_asked_for_keep_the_name_they_were_asked_by(tmp_path: Path) -> None:
    asked = ["no-such.service", "ssh.service"]
    shown = SHOWN.split("\n\n")
    answers = {COUNT: "NFailedUnits=0\n", (*SHOW, *asked): "\n\n".join(reversed(shown))}
    _, reason, rows = filled(host(tmp_path, ["ssh.service", *asked], answers), "units")
    assert reason == ""
    assert [(row["unit"], row["load"], row["active"], row["sub"]) for _, row in rows] == [
        ("no-such.service", b"not-found", b"inactive", b"dead"),
        ("ssh.service", b"loaded", b"active", b"running"),
    ]
    assert rows[1][1]["description"] == b"OpenBSD Secure Shell server = sshd"


def test_a_unit_that_was_asked_for_by_another_name_and_failed_is_one_unit(tmp_path: Path) -> None:
    shown = "Id=apt-daily.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\nDescription=x\n"
    answers = {COUNT: "NFailedUnits=2\n", (*SHOW, "updates"): shown, FAILED: LISTED}
    _, _, rows = filled(host(tmp_path, ["updates"], answers), "units")
    assert [row["unit"] for _, row in rows] == ["updates", b"dev-disk-by\\x2duuid-1.swap"]


def test_a_bus_that_does_not_answer_is_a_failure_and_not_health(tmp_path: Path) -> None:
    status, reason, rows = filled(host(tmp_path, [], {COUNT: ""}), "units")
    assert (status, reason, rows) == ("failed", "systemctl gives no answer", [])


def test_hosts_without_systemd_say_which_init_they_have(tmp_path: Path) -> None:
    openrc = machine(tmp_path / "openrc", {"/run/openrc/softlevel": "default\n", "/proc/1/comm": "init\n"})
    assert filled(openrc, "units")[:2] == ("absent", "systemd does not run here (init: OpenRC)")
    sysv = machine(tmp_path / "sysv", {"/proc/1/comm": "init\n"})
    assert filled(sysv, "units")[:2] == ("absent", "systemd does not run here (init: init)")
    assert filled(machine(tmp_path / "none", {}), "units")[:2] == (
        "absent",
        "systemd does not run here (init: unknown)",
    )


def test_systemd_without_its_command_is_absent(tmp_path: Path) -> None:
    assert filled(host(tmp_path, [], {}), "units")[:2] == ("absent", "there is no command systemctl")


@given(st.one_of(st.binary(max_size=200), st.text("a. =\n\u25cf", max_size=60).map(str.encode)))
def test_any_bytes_are_units_or_a_value_error(content: bytes) -> None:
    names = [row["unit"] for row in units.parse_list(content)]
    assert len(names) == len(set(names))
    with contextlib.suppress(ValueError):
        list(units.parse_show(content, ["a", "b"]))

"""What is asked of a host this time: what is due, what it is told to look for, and how far it came before."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import pytest

from poller.model import NEVER, Before, CheckCommand, LogFile, LogJournal, Watch
from poller.probe.payload import build
from poller.probe.request import Request
from poller.probe.wanted import FILES, cursors, due, options
from remote_probe.collectors import NAMES

NOW = 1_700_000_000_000
LOGS = Watch(logs=(LogFile("auth", "/var/log/auth.log"),), journals=(LogJournal("sshd", unit="ssh.service"),))
ALL = Watch(logs=LOGS.logs, checks=(CheckCommand("disk", ("check_disk", "-w", "10%"), 5.0),), textfiles=("/var/lib/x",))


def asked(watch: Watch = Watch(), seconds_ago: float = 60.0, **other: float) -> set[str]:  # noqa: B008 -- frozen
    """What is due when every section was asked so long ago, some of them at another time."""
    ages = {**dict.fromkeys(NAMES, seconds_ago), **other}
    before = Before(asked_ms={name: NOW - int(age * 1000) for name, age in ages.items()})
    return set(due(watch, before, NOW))


def test_the_first_poll_asks_for_everything_that_has_something_to_say() -> None:
    assert due(ALL, Before(), NOW) == NAMES
    assert set(NAMES) - set(due(Watch(), Before(), NOW)) == {"checks", "textfiles", "logs"}


def test_every_poll_asks_for_everything_but_what_is_slow_or_seldom_changes() -> None:
    assert set(NAMES) - asked(ALL, 10.0) == {"hardware", "units"}
    assert set(NAMES) - asked(ALL, 60.0) == {"hardware"}
    assert asked(ALL, 300.0) == set(NAMES)


def test_a_section_is_due_after_its_time_less_a_tenth() -> None:
    hourly = Watch(every={"usb": 3600.0})
    assert "usb" not in asked(hourly, usb=3200.0)
    assert "usb" in asked(hourly, usb=3240.0)


def test_a_section_that_was_never_asked_for_is_due() -> None:
    assert due(Watch(every={"usb": 3600.0}), Before(asked_ms={"cpu": NOW}), NOW).count("usb") == 1


def test_never_is_never() -> None:
    assert "kernel" not in due(Watch(every={"kernel": NEVER}), Before(), NOW)
    assert due(Watch(every=dict.fromkeys(NAMES, NEVER)), Before(), NOW) == ()


def test_a_clock_that_was_set_back_keeps_no_section_away() -> None:
    assert "hardware" in asked(hardware=-86400.0)


def test_a_section_is_told_what_to_look_for() -> None:
    watch = Watch(
        logs=LOGS.logs,
        journals=LOGS.journals,
        checks=ALL.checks,
        textfiles=ALL.textfiles,
        processes=("sshd",),
        units=("ssh.service",),
        top=5,
        commands=True,
        traffic="ss",
        traffic_seconds=3.0,
    )
    assert options(watch, NAMES) == {
        "traffic": {"source": "ss", "seconds": 3.0},
        "top": {"count": 5, "commands": True, "names": ["sshd"]},
        "units": {"units": ["ssh.service"]},
        "checks": {"checks": [["disk", ["check_disk", "-w", "10%"], 5.0]]},
        "textfiles": {"paths": ["/var/lib/x"]},
        "logs": {
            "logs": [
                {"name": "auth", "path": "/var/log/auth.log", "start": False},
                {"name": "sshd", "unit": "ssh.service", "identifier": "", "start": False},
            ],
            "lines": 10_000,
            "bytes": 2_097_152,
        },
    }
    assert options(watch, ("cpu", "top")) == {"top": {"count": 5, "commands": True, "names": ["sshd"]}}


def test_cursors_go_back_to_the_section_log_and_file_they_came_from() -> None:
    kept = {
        "kernel": "k1",
        "people": "p1",
        "logs\nauth\n/var/log/auth.log": "a1",
        "logs\nauth\n/var/log/new\nline": "a2",
        "logs\nsshd\njournal": "j1",
        "logs\ngone\n/var/log/gone": "g1",
    }
    found, waiting = cursors(LOGS, Before(cursors=kept), ("kernel", "people", "logs"), b"")
    assert waiting == 0
    assert found == {
        "kernel": "k1",
        "people": "p1",
        "logs": {"auth": {"/var/log/auth.log": "a1", "/var/log/new\nline": "a2"}, "sshd": {"journal": "j1"}},
    }
    assert cursors(LOGS, Before(cursors=kept), ("people",), b"") == ({"people": "p1"}, 0)


def test_a_request_carries_what_is_due_with_its_options_and_cursors() -> None:
    content = asking(LOGS, Before(cursors={"kernel": "k1"}))
    assert content["sections"] == list(due(LOGS, Before(), NOW))
    assert content["options"]["logs"]["logs"][0]["name"] == "auth"
    assert content["cursors"] == {"kernel": "k1", "logs": {}}


def asking(watch: Watch, before: Before) -> dict[str, Any]:
    payload = build(due(watch, before, NOW))
    request = Request.fresh("web1", "local", before, payload, 30.0, watch=watch, clock=lambda: NOW / 1000)
    content: dict[str, Any] = json.loads(request.body)
    return content


def test_a_request_stays_small_whatever_a_glob_finds_and_each_file_gets_its_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = {f"logs\nauth\n/var/log/{number:04d}": "x" * 1024 for number in range(3 * FILES)}
    before = Before(cursors=files)
    with caplog.at_level(logging.WARNING):
        content = asking(LOGS, before)
    assert len(content["cursors"]["logs"]["auth"]) == FILES
    assert len(json.dumps(content)) < 300_000
    assert [record.getMessage() for record in caplog.records] == [
        "'web1': of its logs, 400 files wait: one request asks for 200"
    ]
    seen: set[str] = set()
    for _ in range(60):
        found, waiting = cursors(LOGS, before, ("logs",), os.urandom(16))
        assert waiting == 2 * FILES
        seen |= set(found["logs"]["auth"])
    assert len(seen) == 3 * FILES

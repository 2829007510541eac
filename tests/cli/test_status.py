"""`poller status` tells the truth about how old its knowledge is."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.store import Journal
from tests.cli import past
from tests.cli.calling import poller
from tests.config.files import write
from tests.store.machines import failed, poll, values

CONFIG = """<poller><journal path="poller.db"/><poll interval="60s" deadline="30s"/>
<host name="web1" address="local"/><host name="lab1" address="local"/><host name="new1" address="local"/></poller>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, CONFIG)
    return tmp_path


def store(folder: Path, *ages: tuple[str, bool, int]) -> None:
    """Polls by host, whether they brought a report, and how many seconds ago."""
    now_ms = time.time_ns() // 1_000_000
    with Journal.open(folder / "poller.db", now_ms=now_ms) as journal, journal.transaction() as work:
        for number, (host, good, age) in enumerate(ages):
            one = replace(poll(host) if good else failed(host), id=f"poll-{number}", at_ms=now_ms - age * 1000)
            work.store_poll(one, values(1) if good else ())


def outcomes(folder: Path) -> dict[str, str]:
    document = json.loads(poller(folder, "status", "--json").out)
    return {host["name"]: host["outcome"] for host in document["hosts"]}


def test_before_any_round_every_host_is_never_and_the_way_on_is_told(folder: Path) -> None:
    answer = poller(folder, "status")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.count("never") == 7  # each host's state and report, and the count
    assert "no round yet: `poller run` makes one" in answer.out
    document = json.loads(poller(folder, "status", "--json").out)
    assert document["round"] is None and document["counts"]["never"] == 3
    assert not (folder / "poller.db").exists()


@pytest.mark.parametrize(
    ("age", "state"), [(0, "ok"), (100, "ok"), (151, "stale"), (90_000, "stale"), (-90_000, "stale")]
)
def test_a_host_whose_last_good_report_is_too_old_is_never_green(folder: Path, age: int, state: str) -> None:
    store(folder, ("web1", True, age))  # two intervals and a deadline are 150 s
    assert outcomes(folder) == {"web1": state, "lab1": "never", "new1": "never"}


def test_a_host_that_fails_is_failed_however_good_it_was(folder: Path) -> None:
    store(folder, ("web1", True, 100_000), ("web1", False, 5), ("lab1", True, 60), ("lab1", False, 1))
    assert outcomes(folder) == {"web1": "failed", "lab1": "failed", "new1": "never"}
    text = poller(folder, "status").out
    assert "connect/refused" in text or "failed" in text
    assert "28h ago" in text


def test_logs_that_are_not_read_are_told_also_without_a_limit_on_them(folder: Path) -> None:
    past.fill(folder)  # of web1 `auth` is denied, `syslog` read
    assert "logs not read" not in poller(folder, "status").out  # config.xml names none
    write(folder, CONFIG.replace("<host", '<log name="auth" path="/var/log/auth.log"/><host', 1))
    assert "logs not read: auth (denied)" in poller(folder, "status").out
    hosts = {host["name"]: host["unread_logs"] for host in json.loads(poller(folder, "status", "--json").out)["hosts"]}
    assert [(log["log"], log["state"], log["reason"]) for log in hosts["web1"]] == [
        ("auth", "denied", "Permission denied")
    ]
    assert hosts["lab1"] == hosts["new1"] == []


def test_json_has_the_same_keys_for_a_host_that_was_never_polled(folder: Path) -> None:
    store(folder, ("web1", True, 1))
    hosts: list[dict[str, Any]] = json.loads(poller(folder, "status", "--json").out)["hosts"]
    assert set(hosts[0]) == set(hosts[1])

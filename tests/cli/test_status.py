"""`poller status` tells the truth about how old its knowledge is."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.model import Severity
from poller.store import Journal
from tests.cli import past
from tests.cli.alarm import Ward
from tests.cli.calling import Inside, poller
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


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def test_open_alerts_are_counted_by_severity_and_what_becomes_of_them_is_told(tmp_path: Path, inside: Inside) -> None:
    ward = Ward(tmp_path)
    for ago in (62, 2):
        ward.polled("web1", ago)
    known = ward.fires("web1", "disk.percent", ("mountpoint", "/var"))
    ward.fires("web1", "load.1m", severity=Severity.MEDIUM)
    assert inside("ack", known.id, "--comment", "the disk is ordered", "--author", "net").code == 0
    assert inside("silence", "--host", "web2", "--for", "2h", "--comment", "new switch", "--author", "ops").code == 0
    text = inside("status").out
    assert "1 ok, 2 never, 2 firing (1 high, 1 medium)" in text
    assert "[high] disk.percent{/var} 91 > 85 (acknowledged by net)" in text
    assert "silenced until" in text and "by ops: new switch" in text
    hosts = {host["name"]: host for host in json.loads(inside("status", "--json").out)["hosts"]}
    assert [one["state"] for one in hosts["web1"]["alerts"]] == ["acknowledged", "firing"]
    assert [one["author"] for one in hosts["web2"]["silences"]] == ["ops"] and hosts["lab1"]["silences"] == []
    text = inside("show", "web1").out
    assert f"high    10m ago  {known.id[-8:]}  disk.percent{{/var}} 91 > 85, acknowledged by net: the disk is" in text


BEHIND = """<poller><journal path="poller.db"/><poll interval="60s" deadline="30s"/>
<downtime name="move" hosts="lab*" from="2020-01-01 00:00" until="2099-01-01 00:00" zone="UTC"/>
<host name="gw1" address="192.0.2.1"/><host name="sw1" address="192.0.2.2" parent="gw1" via="ping"/>
<host name="web1" address="192.0.2.3" parent="sw1"/><host name="lab1" address="local"/></poller>"""


def test_what_only_stands_behind_a_gateway_says_so(tmp_path: Path, inside: Inside) -> None:
    ward = Ward(tmp_path, BEHIND)
    for host in ("sw1", "web1"):
        ward.polled(host, 1, good=False)
    assert "unreachable" not in inside("status", "--host", "sw1").out, "its gateway was not seen to be down"
    assert "unreachable: sw1 is down (connect/refused)" in inside("status", "--host", "web1").out
    ward.polled("gw1", 1, good=False)
    found = {host["name"]: host for host in json.loads(inside("status", "--json").out)["hosts"]}
    assert {name: host["unreachable_behind"] for name, host in found.items()} == {
        "gw1": "", "sw1": "gw1", "web1": "gw1", "lab1": ""
    }  # fmt: skip
    assert found["lab1"]["downtime"] == "move" and "in downtime move" in inside("status").out
    answer = inside("check", "--host", "web1")
    assert answer.code == 1 and "web1 is unreachable: gw1 is down" in answer.out


def test_a_host_that_is_only_pinged_shows_how_it_answers(tmp_path: Path, inside: Inside) -> None:
    ward = Ward(tmp_path, BEHIND)
    ward.pinged("sw1", 0.00042)
    text = inside("status", "--host", "sw1").out
    assert "ping 0.42 ms, 0% lost" in text and "ok" in text and "stale" not in text
    answer = inside("check", "--host", "sw1")
    assert answer.code == 0 and " | rta=0.00042s pl=0%" in answer.out
    assert inside("check", "--host", "sw1", "--metric", "ping.seconds", "-c", "0.0001").code == 2

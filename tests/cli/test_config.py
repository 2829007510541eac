"""`poller config show`: the merged values of a host, each with the line that set it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.calling import Inside, poller
from tests.config.files import write
from tests.config.test_examples import DESIGN, secrets


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    secrets(tmp_path)
    write(tmp_path, DESIGN)
    return tmp_path


def rows(text: str) -> list[tuple[str, ...]]:
    return [tuple(re.split(r" {2,}", line.strip())) for line in text.splitlines()]


def test_every_value_stands_beside_its_origin(folder: Path) -> None:
    answer = poller(folder, "config", "show", "gw1")
    assert answer.code == 0 and answer.err == ""
    shown = rows(answer.out)
    assert shown[0] == ("gw1 in group lab, config.xml:15",)
    for row in (
        ("address", "10.1.0.1", "config.xml:15"),
        ("user", "exam", "config.xml:13"),
        ("port", "2222", "config.xml:15"),
        ("known-hosts", f"{folder}/.ssh/known_hosts", "config.xml:4"),
        ("interval", "60s", "config.xml:5"),
        ("down-after", "3 polls", "config.xml:5"),
        ("become", "no", "default"),
        ("password", "-", "default"),
        ("host.down", "> 0 for 3 polls", "-", "high", "mailto:owner@example.org", "default"),
        ('disk.percent{mountpoint="/var"}', "> 85", "-", "medium", "mailto:owner@example.org net", "config.xml:11"),
    ):
        assert row in shown


def test_what_is_watched_stands_beside_its_origin(tmp_path: Path, inside: Inside) -> None:
    text = """<poller><log name="auth" path="/var/log/auth.log"/>
      <collect section="usb" every="1h"/><collect section="kernel" every="never"/>
      <usb-allow vendor="0951"/>
      <group name="g"><journal name="auth" unit="ssh.service" start="yes"/><usb-allow vendor="046d" port="1-*"/>
        <network-allow to="192.0.2.0/24" port="443"/><redact pattern="a+"/>
        <host name="a"><check name="site" command="check_http -p secret"/></host></group></poller>"""
    write(tmp_path, text)
    answer = inside("config", "show", "a")
    shown = rows(answer.out)
    for row in (
        ("section hardware", "every 300s", "default"),
        ("section kernel", "never", "config.xml:2"),
        ("section usb", "every 3600s", "config.xml:2"),
        ("traffic source", "auto", "default"),
        ("processes top", "10", "default"),
        ("log auth", "journal unit ssh.service, from its start", "config.xml:4"),
        ("check site", "check_http, at most 10s", "config.xml:6"),
        ("usb-allow", "vendor=0951, vendor=046d port=1-*", "config.xml:3, config.xml:4"),
        ("network-allow", "to=192.0.2.0/24 port=443", "config.xml:5"),
        ("redact", "a+", "config.xml:5"),
    ):
        assert row in shown
    assert "secret" not in answer.out
    document = json.loads(inside("config", "show", "a", "--json").out)["watch"]
    assert document["usb-allow"] == {
        "value": ["vendor=0951", "vendor=046d port=1-*"], "where": "config.xml:3, config.xml:4",
    }  # fmt: skip
    assert document["section kernel"] == {"value": "never", "where": "config.xml:2"}


def test_nothing_is_cut_or_decorated_in_a_pipe(folder: Path, inside: Inside) -> None:
    answer = inside("config", "show", "pc01", COLUMNS="20")
    assert "…" not in answer.out and "\x1b" not in answer.out
    assert ("cpu.percent", "> 90 for 180s", "75", "high", "ops", "config.xml:10") in rows(answer.out)


def test_json_has_stable_keys(folder: Path, inside: Inside) -> None:
    document = json.loads(inside("config", "show", "pc07", "--json").out)
    assert set(document) == {"name", "group", "where", "settings", "watch", "thresholds", "rules", "told"}
    assert document["settings"]["address"] == {"value": "10.1.0.17", "where": "config.xml:14"}
    assert document["settings"]["tags"] == {"value": ["floor2"], "where": "config.xml:14"}
    assert document["settings"]["interval"] == {"value": 60.0, "where": "config.xml:5"}
    assert document["thresholds"][2] == {
        "metric": "cpu.percent", "labels": {}, "above": 90.0, "below": None, "clear": 75.0, "for": 180.0, "polls": 1,
        "within": 0.0, "severity": "high", "notify": ["ops"], "remind": [], "escalate": [], "evidence": False,
        "where": "config.xml:10",
    }  # fmt: skip


def test_an_unknown_host_is_refused_with_the_one_that_was_meant(folder: Path, inside: Inside) -> None:
    answer = inside("config", "show", "gw")
    assert (answer.code, answer.err) == (2, "poller: there is no host gw\n    did you mean gw1?\n")


def test_a_secret_is_shown_by_its_reference_only(folder: Path, inside: Inside) -> None:
    write(folder, "<poller><host name='a' password-env='PASS'/></poller>")
    for option in ((), ("--json",)):
        answer = inside("config", "show", "a", *option, PASS="geheim")
        assert answer.code == 0 and "env:PASS" in answer.out and "geheim" not in answer.out + answer.err


def test_without_a_host_the_pollers_own_settings_are_shown(folder: Path, inside: Inside) -> None:
    answer = inside("config", "show")
    assert (answer.code, answer.err) == (0, "")
    for row in (
        ("file", f"{folder}/config.xml"),
        ("journal", "path", f"{folder}/poller.db"),
        ("journal", "bound", "1GiB"),
        ("archive", "none: the journal keeps history"),
        ("retention", "samples", "14d"),
        ("mail", "password", f"file:{folder}/smtp.pass"),
        ("mail", "timeout", "15s"),
        ("contact", "net", "net@example.org high medium"),
        ("poller.round_percent", "> 100 for 2 polls", "90", "medium", "ops net mailto:owner@example.org", "default"),
    ):
        assert row in rows(answer.out)
    document = json.loads(inside("config", "show", "--json").out)
    assert document["archive"] is None and document["journal"]["bound"] == 1 << 30 and document["hosts"] == 42
    assert {limit["metric"].partition(".")[0] for limit in document["thresholds"]} == {"poller"}


def test_the_archive_is_shown_with_what_protects_it(tmp_path: Path, inside: Inside) -> None:
    url = "mysql://poller@db.example.org/history"
    write(tmp_path, f"<poller><archive url='{url}' password-env='DB' timeout='90s'/></poller>")
    answer = inside("config", "show", DB="geheim")
    for row in (
        ("archive", "url", "mysql://poller@db.example.org:3306/history"),
        ("archive", "tls", "verify"),
        ("archive", "ca", "-"),
        ("archive", "password", "env:DB"),
        ("archive", "timeout", "90s"),
    ):
        assert row in rows(answer.out)
    assert "geheim" not in answer.out
    write(tmp_path, "<poller><archive url='sqlite:h.db'/></poller>")
    found = json.loads(inside("config", "show", "--json").out)["archive"]
    assert found == {"url": f"sqlite:{tmp_path}/h.db", "timeout": 30.0}


ALERTING = """<poller remind="4h 1d" notify="boss">
  <mail server="smtp.example.org" from="poller@example.org" quota="200"/>
  <channel name="sms" url-env="SMS" quota="20"/>
  <channel name="wall" command="logger -t geheim"/>
  <contact name="ops" mail="ops@example.org"/>
  <contact name="boss" mail="boss@example.org" channels="sms mail" groups="lab" hours="mon 08:00-18:00" zone="UTC"/>
  <downtime name="nightly" hosts="a*" days="sat sun" from="02:00" until="04:00" zone="UTC" comment="backup"/>
  <downtime name="move" from="2026-12-01 22:00" until="2026-12-02 02:00" zone="Europe/Berlin"/>
  <heartbeat url-env="SMS"/>
  <escalate after="30m" notify="ops"/>
  <group name="lab" parent="gw">
    <host name="gw" via="ping"/>
    <host name="a1"><threshold metric="disk.percent" reaches="100" within="24h" remind="never"/>
      <rule name="busy" for="5m" clear="load.1m &lt; 1">load.1m > 2</rule></host>
  </group>
</poller>"""


@pytest.fixture
def alerting(tmp_path: Path) -> Path:
    write(tmp_path, ALERTING)
    return tmp_path


def test_how_a_host_is_reached_and_who_is_told_again_has_its_line(alerting: Path, inside: Inside) -> None:
    answer = inside("config", "show", "a1", SMS="geheim")
    shown = rows(answer.out)
    for row in (
        ("via", "ssh", "default"),
        ("parent", "gw", "config.xml:11"),
        ("remind", "4h 1d", "config.xml:1"),
        ("escalate", "ops after 30m", "config.xml:10"),
        ("disk.percent", "reaches 100 within 1d", "-", "medium", "boss; ops after 30m", "config.xml:13"),
        ("busy", "load.1m > 2 for 300s", "load.1m < 1", "medium", "boss; again 4h 1d; ops after 30m", "config.xml:14"),
        ("boss", "sms", "apprise", "config.xml:3"),
        ("boss", "mail", "boss@example.org", "-"),
        ("ops", "mail", "ops@example.org", "-"),
    ):
        assert row in shown, row
    assert ("via", "ping", "config.xml:12") in rows(inside("config", "show", "gw", SMS="x").out)
    assert "geheim" not in answer.out


def test_json_has_rules_and_channels(alerting: Path, inside: Inside) -> None:
    document = json.loads(inside("config", "show", "a1", "--json", SMS="geheim").out)
    assert document["rules"] == [
        {
            "name": "busy", "text": "load.1m > 2", "clear": "load.1m < 1", "for": 300.0, "polls": 1,
            "severity": "medium", "notify": ["boss"], "remind": [14400.0, 86400.0],
            "escalate": [{"after": 1800.0, "notify": ["ops"]}], "evidence": False, "where": "config.xml:14",
        }
    ]  # fmt: skip
    assert document["told"][0] == {"contact": "boss", "channel": "sms", "to": "apprise", "where": "config.xml:3"}
    (future,) = [each for each in document["thresholds"] if each["within"]]
    assert (future["above"], future["within"], future["remind"]) == (100.0, 86400.0, [])


def test_without_a_host_channels_downtimes_and_the_heartbeat_are_shown(alerting: Path, inside: Inside) -> None:
    answer = inside("config", "show", SMS="geheim")
    for row in (
        ("mail", "quota", "200"),
        ("channel", "sms", "apprise env:SMS quota=20"),
        ("channel", "wall", "command logger"),
        ("contact", "ops", "ops@example.org"),
        (
            "contact",
            "boss",
            "boss@example.org channels=sms mail groups=lab mon 08:00-18:00 UTC",
        ),
        ("delivery", "wait", "30s"),
        ("delivery", "interval", "5m"),
        ("downtime", "nightly", "sat sun 02:00-04:00 UTC hosts=a* comment=backup"),
        ("downtime", "move", "2026-12-01 21:00 UTC to 2026-12-02 01:00 UTC"),
        ("heartbeat", "url", "env:SMS"),
    ):
        assert row in rows(answer.out), row
    document = json.loads(inside("config", "show", "--json", SMS="geheim").out)
    assert document["heartbeat"] == {"url": "env:SMS", "timeout": 10.0}
    assert "geheim" not in answer.out + str(document)

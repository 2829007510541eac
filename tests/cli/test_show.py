"""`poller show`: one page that has everything about a host, and says how old and how complete that is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import SectionStatus
from poller.store import Journal
from tests.cli import past
from tests.cli.calling import Inside
from tests.cli.test_terminal import on_terminal
from tests.store import watched
from tests.store.machines import poll, values


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    past.fill(tmp_path)
    return Inside(tmp_path, capsys, monkeypatch)


def test_the_page_tells_how_the_host_is_and_what_it_has(inside: Inside) -> None:
    text = inside("show", "web1").out
    for word in (
        "web1  ok  polled", "Debian 12", "cpu ", "memory ", "load ", "disk /var", "net eth0", "clock ", "ann on tty1",
        "1 failed: backup.service", "check http  CRITICAL: HTTP CRITICAL", "coretemp/Core 0 41 C", "firefox[4711]",
        "0951:1666 Kingston DataTraveler", "/media/stick", "192.0.2.10:8080", "198.51.100.7 (internet)",
        "auth  denied  /var/log/auth.log: Permission denied", "usb_attached",
    ):  # fmt: skip
        assert word in text, word


def test_it_is_readable_in_80_columns_and_inert(tmp_path: Path, inside: Inside) -> None:
    shown = on_terminal(tmp_path, "show", "web1", COLUMNS="80", PYTHONIOENCODING="utf-8", NO_COLOR="1")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.replace("\r\n", "\n"))
    assert max(map(len, plain.splitlines())) <= 80
    assert past.inert(plain)
    assert past.inert(inside("show", "web1").out)


def test_json_has_everything(inside: Inside) -> None:
    document = json.loads(inside("show", "web1", "--json").out)
    assert document["outcome"] == "ok" and document["system"]["distribution_name"] == "Debian 12"
    assert document["metrics"]["cpu.percent"] > 0
    assert {one["kind"] for one in document["usb"]} == {"keyboard", "hub", "storage"}
    assert {one["mountpoint"] for one in document["mounts"]} == {"/", "/media/stick"}
    assert [one["unit"] for one in document["units"]] == ["backup.service", "ssh.service"]
    assert {one["section"] for one in document["sections"]} >= {"usb", "cpu", "logs"}
    assert sum(one["opened"] for one in document["peers"]) == 3 * len(past.MINUTES_AGO)


def test_one_section_is_shown_in_full(inside: Inside) -> None:
    text = inside("show", "web1", "--section", "usb").out
    assert "hub" in text and "480000000" in text
    document = json.loads(inside("show", "web1", "--section", "mounts", "--json").out)
    assert set(document) == {"name", "now_ms", "mounts"}
    assert "%" in inside("show", "web1", "--section", "metrics").out
    for section in ("system", "alerts", "peers", "events", "sections", "series"):
        assert inside("show", "web1", "--section", section).code == 0
    answer = inside("show", "web1", "--section", "mount")
    assert answer.code == 2 and "Did you mean mounts?" in answer.err


def test_what_could_not_be_read_and_what_is_old_says_so(tmp_path: Path, inside: Inside) -> None:
    at_ms = past.now_ms()
    with Journal.open(tmp_path / "poller.db", now_ms=at_ms) as journal, journal.transaction() as work:
        one = replace(poll("web1", 300), id="late", at_ms=at_ms)
        sections = {"sockets": (), "units": (watched.FINE,)}
        one = watched.with_sections(one, sections, sockets=(SectionStatus.DENIED, "/proc/net is hidden"))
        work.store_poll(one, values(1))
    text = inside("show", "web1").out
    assert re.search(r"^sockets  denied  6\ds ago  /proc/net is hidden", text, re.MULTILINE)
    assert re.search(r"^usb      ok      6\ds ago", text, re.MULTILINE)
    assert not re.search(r"^units    ok", text, re.MULTILINE)
    assert "none failed" in text  # the unit that failed is not in the newest report


def test_a_host_that_failed_or_was_never_polled(inside: Inside) -> None:
    text = inside("show", "lab1").out
    assert "lab1  failed" in text and "connect/refused" in text
    assert "never polled: `poller run --host new1`" in inside("show", "new1").out
    assert json.loads(inside("show", "new1", "--json").out)["outcome"] == "never"
    answer = inside("show", "wbe1")
    assert answer.code == 2 and "did you mean web1?" in answer.err


def test_before_any_round_every_host_is_never(tmp_path: Path, inside: Inside) -> None:
    for file in tmp_path.glob("poller.db*"):
        file.unlink()
    assert "never polled" in inside("show", "web1").out
    assert not (tmp_path / "poller.db").exists()

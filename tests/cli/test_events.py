"""`poller events`: what happened is there in order, can be chosen, and is followed without gaps."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from poller.findings.kernel import TROUBLE
from poller.model import EVENT_KINDS
from tests.cli import past
from tests.cli.calling import Inside
from tests.cli.following import following
from tests.config.files import ROOT


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    past.fill(tmp_path)
    return Inside(tmp_path, capsys, monkeypatch)


def events(inside: Inside, *words: str) -> list[dict[str, Any]]:
    answer = inside("events", "--json", *words)
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_the_newest_event_is_the_last_line(inside: Inside) -> None:
    found = events(inside)
    assert [one["at_ms"] for one in found] == sorted(one["at_ms"] for one in found)
    assert {one["host"] for one in found} == {"web1", "lab1", "poller"}
    assert found[-1]["kind"] in ("first_seen", "gap")  # lab1's only poll, and the poller's own


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("--kind", "usb_*"), {"usb_attached"}),
        (("--kind", "gap", "--kind", "first_seen"), {"gap", "first_seen"}),
        (("--severity", "high"), {"gap"}),
        (("--severity", "medium"), {"gap", "usb_attached"}),
        (("--host", "poller"), {"gap"}),
        (("--host", "lab*"), {"first_seen"}),
        (("--until", "1h"), {"usb_attached", "first_seen"}),
    ],
)
def test_events_can_be_chosen(inside: Inside, words: tuple[str, ...], kinds: set[str]) -> None:
    assert {one["kind"] for one in events(inside, *words)} == kinds


def test_the_newest_are_shown_and_that_there_are_more_is_told(inside: Inside) -> None:
    answer = inside("events", "--kind", "usb_attached", "--limit", "2", "--json")
    assert [json.loads(line)["details"].split()[3] for line in answer.out.splitlines()] == ["2", "1"]
    assert "--limit 2" in answer.err
    assert len(events(inside, "--kind", "usb_attached", "--since", "2h")) == len(past.MINUTES_AGO)


def test_each_event_is_one_line_whatever_the_host_sent(inside: Inside) -> None:
    text = inside("events").out
    assert past.inert(text)
    assert len(text.splitlines()) == len(events(inside))
    assert "\\nfake line" in text


def test_a_typing_error_is_told_what_was_meant(inside: Inside) -> None:
    answer = inside("events", "--host", "wbe1")
    assert (answer.code, answer.out) == (2, "")
    assert "did you mean web1?" in answer.err
    answer = inside("events", "--kind", "usb_atached")
    assert answer.code == 0 and "did you mean --kind usb_attached?" in answer.err
    assert "did you mean --kind raid_changed?" in inside("events", "--kind", "raid_chnged").err  # none happened yet
    assert "--help lists the kinds" in inside("events", "--kind", "zebra").err
    assert inside("events", "--kind", "raid_*").err.splitlines() == ["poller: no such events"]


def test_help_lists_every_kind_there_is(inside: Inside) -> None:
    listed = inside("events", "--help").out.partition("Kinds:")[2].partition("Examples:")[0]
    assert listed.split() == list(EVENT_KINDS)


def test_no_event_has_a_kind_that_is_not_listed() -> None:
    told = set()
    for path in (ROOT / "poller").rglob("*.py"):
        told |= set(re.findall(r'\b(?:Told|Event)\(\s*"(\w+)"', path.read_text()))
    assert told | {kind for kind, _, _ in TROUBLE} | {"gap"} == set(EVENT_KINDS)


def test_without_a_database_it_says_how_to_get_one(tmp_path: Path, inside: Inside) -> None:
    (tmp_path / "poller.db").unlink()
    answer = inside("events")
    assert answer.code == 2 and "poller run" in answer.err


@pytest.mark.parametrize(
    "words", [("events",), ("logs",), ("history", "web1", "cpu.percent"), ("show", "web1"), ("query", "events")]
)
def test_a_database_without_our_tables_is_no_mistake_in_somebodys_sql(
    tmp_path: Path, inside: Inside, words: tuple[str, ...]
) -> None:
    """An empty file, another program's database, or that of an older poller before its first round."""
    (tmp_path / "poller.db").write_bytes(b"")
    answer = inside(*words)
    assert answer.code == 74 and "SQL" not in answer.err
    assert "a table is missing" in answer.err and "poller db upgrade" in answer.err


def test_what_happens_is_followed_once_each_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    journal = past.fill(tmp_path)
    with following(tmp_path, "events", "--kind", "usb_attached", "--json", "--limit", "1") as follower:
        assert len(follower.until("number 1 ")) == 1
        past.poll_once(journal, "new1", past.now_ms(), 77)
        past.poll_once(journal, "web1", past.now_ms() - 5_000, 78)  # noted later than it happened
        shown = follower.until("number 78")
        assert [json.loads(line)["host"] for line in shown] == ["new1", "web1"]
        code, err = follower.interrupt()
    assert (code, "Traceback" in err) == (130, False)


def test_following_ends_when_nobody_reads_any_more(tmp_path: Path) -> None:
    past.fill(tmp_path)
    with following(tmp_path, "events", "--limit", "1") as follower:
        follower.until(" ")
        assert follower.stop_reading() == 0

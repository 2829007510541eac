"""`poller logs`: lines by time, what could not be read first, a pattern that cannot hang, followed without gaps."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from poller.cli.grep import Grep, bounded
from poller.errors import UsageError
from poller.store import Journal
from tests.cli import past
from tests.cli.calling import Inside
from tests.cli.following import following
from tests.cli.test_terminal import on_terminal
from tests.store import watched


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    past.fill(tmp_path)
    return Inside(tmp_path, capsys, monkeypatch)


def objects(inside: Inside, *words: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Logs in trouble, and lines."""
    answer = inside("logs", "--json", *words)
    assert answer.code == 0, answer.err
    found = [json.loads(line) for line in answer.out.splitlines()]
    return [one for one in found if "state" in one], [one for one in found if "message" in one]


def test_lines_come_in_the_order_of_their_own_time(inside: Inside) -> None:
    _, lines = objects(inside)
    assert len(lines) == 3 * len(past.MINUTES_AGO)
    assert [line["at_ms"] for line in lines] == sorted(line["at_ms"] for line in lines)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--grep", "^Failed password"), 4),
        (("--grep", "sector .*_5$", "--severity", "high"), 4),
        (("--severity", "medium"), 4),
        (("--program", "ker*"), 4),
        (("--log", "sys*"), 12),
        (("--log", "auth"), 0),
        (("--host", "lab1"), 0),
        (("--since", "30m"), 6),
        (("--since", "30m", "--grep", "Failed"), 2),
        (("--until", "30m"), 6),
        (("--limit", "5"), 5),
    ],
)
def test_lines_can_be_chosen(inside: Inside, words: tuple[str, ...], count: int) -> None:
    _, lines = objects(inside, *words)
    assert len(lines) == count


def test_a_log_that_cannot_be_read_is_told_before_any_line(inside: Inside) -> None:
    states, _ = objects(inside)
    assert [(one["host"], one["log"], one["state"]) for one in states] == [("web1", "auth", "denied")]
    assert "auth of web1 (/var/log/auth.log): denied: Permission denied" in inside("logs").err
    assert "denied" not in inside("logs", "--host", "lab1").err


def test_each_line_is_one_line_whatever_the_host_sent(inside: Inside) -> None:
    text = inside("logs").out
    assert past.inert(text)
    assert len(text.splitlines()) == 12
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d web1 sshd\[812\]: Failed password", text, re.MULTILINE)


def test_what_was_looked_for_is_marked_on_a_terminal_only(tmp_path: Path, inside: Inside) -> None:
    shown = on_terminal(tmp_path, "logs", "--grep", "password", "--limit", "1")
    assert re.search(r"\x1b\[1;7mpassword\x1b\[0m", shown)
    assert "\x1b" not in inside("logs", "--grep", "password").out


def test_mistakes_are_sentences(inside: Inside) -> None:
    for words, said in (
        (("--grep", "("), "no regular expression"),
        (("--host", "wbe1"), "did you mean web1?"),
        (("--log", "suslog"), "did you mean --log syslog?"),
        (("--follow", "--until", "1h"), "give one of them"),
    ):
        assert said in inside("logs", *words).err


def test_a_fleet_without_logs_is_told_how_to_have_some(tmp_path: Path, inside: Inside) -> None:
    for file in tmp_path.glob("poller.db*"):
        file.unlink()
    Journal.open(tmp_path / "poller.db", now_ms=past.now_ms()).close()
    answer = inside("logs")
    assert (answer.code, answer.out) == (0, "")
    assert "<log>" in answer.err


def test_a_pattern_that_would_take_for_ever_is_given_up() -> None:
    grep = Grep(r"(a+)+$")
    with pytest.raises(UsageError, match="took longer"), bounded(0.2):
        grep.spans("a" * 60 + "b")
    with bounded(5.0):
        assert grep.spans("baaa") == ((1, 4),)


def test_what_the_polls_bring_is_followed_once_each_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    journal = past.fill(tmp_path)
    with following(tmp_path, "logs", "--grep", "marker|root", "--limit", "1") as follower:
        assert len(follower.until("root")) == 1
        for number in (1, 2):
            at_ms = past.now_ms()
            old = watched.line(at_ms - 7_200_000, f"marker {number}")  # written long before it could be fetched
            past.poll_once(journal, "web1", at_ms, 50 + number, old)
        shown = follower.until("marker 2")
        code, err = follower.interrupt()
    assert [line.split(": ", 1)[1] for line in shown if "marker" in line] == ["marker 1", "marker 2"]
    assert (code, "Traceback" in err) == (130, False)

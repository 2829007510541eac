"""`poller silence` and `poller unsilence`: what is kept quiet has an end and a reason, and stays on record."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli import past
from tests.cli.alarm import Ward
from tests.cli.calling import Inside
from tests.cli.test_ack import ME
from tests.cli.test_completion import completed
from tests.cli.test_terminal import on_terminal

HOUR_MS = 3_600_000


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    ward = Ward(tmp_path)
    ward.polled("web1")
    return ward


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def made(inside: Inside, *words: str) -> dict[str, Any]:
    answer = inside("silence", "--comment", "new switch", "--json", *words)
    assert answer.code == 0, answer.err
    document: dict[str, Any] = json.loads(answer.out)
    return document


def listed(inside: Inside, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(inside("silence", "--json", *words).out)["silences"]
    return found


def test_it_says_what_it_fits_now_and_until_when(ward: Ward, inside: Inside) -> None:
    ward.fires("web1", "disk.percent", ("mountpoint", "/var"))
    ward.fires("web1", "load.1m")
    answer = inside("silence", "--host", "web*", "--metric", "disk.*", "--for", "2h", "--comment", "new switch")
    assert (answer.code, answer.err) == (0, "")
    first, second = answer.out.splitlines()
    assert re.fullmatch(r"silence [0-9a-f]{8}: host web\* metric disk\.\*, until 20[-0-9]+ [0-9:]+ UTC", first)
    assert second == "    fits 2 hosts and 1 open alert now"
    assert made(inside, "--label", "/v*", "--for", "1h")["hosts"] == 3
    assert len(made(inside, "--label", "/v*", "--for", "1h")["open_alerts"]) == 1


def test_its_beginning_and_end_are_what_was_said(ward: Ward, inside: Inside) -> None:
    one = made(inside, "--host", "web1", "--from", "1h", "--for", "2h")["silence"]
    assert one["until_ms"] - one["from_ms"] == 2 * HOUR_MS
    assert one["from_ms"] - one["at_ms"] == pytest.approx(HOUR_MS, abs=60_000)
    assert (one["state"], one["author"], one["comment"]) == ("to come", ME, "new switch")
    year = f"{int(past.now_ms() / 31_556_952_000) + 1970}"
    two = made(inside, "--metric", "load.1m", "--until", "2d", "--author", "net")["silence"]
    assert two["until_ms"] - two["at_ms"] == pytest.approx(48 * HOUR_MS, abs=60_000)
    assert (two["host"], two["metric"], two["label"], two["author"]) == ("*", "load.1m", "*", "net")
    assert year in inside("silence").out


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (("--for", "2h", "--comment", "x"), "--host, --metric or --label"),
        (("--host", "web1", "--comment", "x"), "needs an end"),
        (("--host", "web1", "--comment", "x", "--for", "2h", "--until", "3h"), "has one end"),
        (("--host", "web1", "--for", "2h"), "needs a comment"),
        (("--host", "web1", "--for", "2h", "--comment", " "), "blank"),
        (("--host", "web1", "--for", "2y", "--comment", "x"), "a year at most"),
        (("--host", "web1", "--until", "2020-01-01", "--comment", "x"), "over before it begins"),
        (("--host", "web1", "--from", "2h", "--until", "1h", "--comment", "x"), "over before it begins"),
        (("--host", "web1", "--for", "soon", "--comment", "x"), "is not a duration"),
        (("--host", "web1", "--list"), "one or the other"),
    ],
)
def test_mistakes_are_told_and_change_nothing(ward: Ward, inside: Inside, words: tuple[str, ...], sign: str) -> None:
    answer = inside("silence", *words)
    assert answer.code == 2 and sign in answer.err
    assert listed(inside, "--all") == []


def test_one_that_fits_nothing_there_is_is_doubted(ward: Ward, inside: Inside) -> None:
    answer = inside("silence", "--host", "wbe1", "--for", "2h", "--comment", "x")
    (one,) = listed(inside)
    assert answer.code == 0 and "fits 0 hosts" in answer.out
    assert "did you mean web1?" in answer.err and f"poller unsilence {one['short_id']}" in answer.err
    answer = inside("silence", "--host", "web1", "--metric", "cpu.percnt", "--for", "2h", "--comment", "x")
    assert "did you mean cpu.percent?" in answer.err
    assert inside("silence", "--host", "poller", "--for", "2h", "--comment", "x").err == ""


def test_what_is_in_force_is_listed_and_what_is_past_when_asked_for(ward: Ward, inside: Inside) -> None:
    assert inside("silence").err == "poller: nothing is silenced\n"
    one = made(inside, "--host", "lab*", "--for", "2h")["silence"]
    two = made(inside, "--host", "web1", "--for", "2h")["silence"]
    answer = inside("unsilence", one["short_id"][-5:])
    assert answer.out == f"no longer silent: {one['short_id']} host lab*\n"
    assert [silence["id"] for silence in listed(inside)] == [two["id"]]
    everything = {silence["id"]: silence for silence in listed(inside, "--all")}
    assert everything[one["id"]]["state"] == "lifted" and everything[one["id"]]["ended_by"] == ME
    text = inside("silence", "--all").out
    assert f"lifted by {ME}" in text and "in force" in text and "new switch" in text
    answer = inside("unsilence", one["id"])
    assert answer.code == 2 and "already" in answer.err
    assert inside("unsilence", "ffff").code == 2


def test_unsilence_ends_several_or_none(ward: Ward, inside: Inside) -> None:
    ids = [made(inside, "--host", host, "--for", "2h")["silence"]["id"] for host in ("web1", "web2")]
    assert inside("unsilence", ids[0], "zzzz").code == 2
    assert len(listed(inside)) == 2
    document = json.loads(inside("unsilence", *ids, "--author", "net", "--json").out)
    assert {one["ended_by"] for one in document["silences"]} == {"net"}
    assert listed(inside) == []


def test_foreign_words_are_inert_and_a_narrow_terminal_shows_them_whole(ward: Ward, inside: Inside) -> None:
    words = ("--host", "lab*", "--metric", past.HOSTILE, "--author", past.HOSTILE, "--comment", past.HOSTILE)
    answer = inside("silence", *words, "--for", "2h")
    assert past.inert(answer.out + answer.err)
    assert past.inert(inside("silence").out) and len(inside("silence").out.splitlines()) == 2
    assert past.inert(inside("status").out)
    made(inside, "--host", "lab*", "--for", "2h")
    text = on_terminal(ward.folder, "silence", COLUMNS="50", NO_COLOR="1").replace("\r", "")
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines())) <= 50


def test_ids_are_offered_to_the_shell(ward: Ward, inside: Inside) -> None:
    one = made(inside, "--host", "lab*", "--for", "2h")["silence"]
    assert completed(ward.folder, "poller unsilence ") == [one["short_id"]]

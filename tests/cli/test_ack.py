"""`poller ack`: who takes care, why and until when is on record; mistakes change nothing."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli import past
from tests.cli.alarm import Ward
from tests.cli.calling import Inside

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    ward = Ward(tmp_path)
    ward.polled("web1")
    return ward


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def rows(ward: Ward) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(ward.journal)
    try:
        columns = "alert_id, author, comment, until_ms, ended_ms IS NULL, ended_by"
        return connection.execute(f"SELECT {columns} FROM acknowledgement ORDER BY at_ms, id").fetchall()
    finally:
        connection.close()


def test_it_says_what_it_did_and_until_when(ward: Ward, inside: Inside) -> None:
    alert = ward.fires("web1", "disk.percent", ("mountpoint", "/var"))
    answer = inside("ack", alert.id[-8:], "--comment", "the disk is\n ordered")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        f"acknowledged: {alert.id[-8:]} web1 [high] disk.percent{{/var}} 91 > 85",
        f"    by {ME} until its end: the disk is ordered",
    ]
    assert rows(ward) == [(alert.id, ME, "the disk is ordered", None, 1, "")]


def test_who_called_sudo_is_the_author_unless_another_is_named(ward: Ward, inside: Inside) -> None:
    alert = ward.fires()
    assert inside("ack", alert.id, "--comment", "one", SUDO_USER="operator").code == 0
    assert inside("ack", alert.id, "--comment", "two", "--author", "net", SUDO_USER="operator").code == 0
    assert [(row[1], row[4]) for row in rows(ward)] == [("operator", 0), ("net", 1)], "the newer one takes the place"


def test_several_are_acknowledged_at_once_until_a_time(ward: Ward, inside: Inside) -> None:
    alerts = [ward.fires("web1", metric) for metric in ("load.1m", "load.5m")]
    words = [alert.id[-8:] for alert in alerts]
    document = json.loads(inside("ack", *words, words[0], "--comment", "x", "--until", "2h", "--json").out)
    assert [one["id"] for one in document["alerts"]] == [alert.id for alert in alerts]
    assert all(row[3] - past.now_ms() == pytest.approx(7_200_000, abs=60_000) for row in rows(ward))
    answer = inside("ack", words[0], "--comment", "x", "--until", "2099-01-31T08:00")
    assert "until 2099-01-31 08:00:00 UTC" in answer.out


def test_it_is_taken_back(ward: Ward, inside: Inside) -> None:
    alert = ward.fires()
    answer = inside("ack", alert.id, "--end")
    assert answer.code == 2 and "is not acknowledged" in answer.err
    assert inside("ack", alert.id, "--comment", "x").code == 0
    answer = inside("ack", alert.id, "--end", "--author", "net")
    assert answer.code == 0 and answer.out.startswith("no longer acknowledged: ")
    assert [row[4:] for row in rows(ward)] == [(0, "net")], "it stays on record"
    assert inside("ack", alert.id, "--end").code == 2


def test_what_has_ended_cannot_be_acknowledged(ward: Ward, inside: Inside) -> None:
    over, still = ward.ends(ward.fires("web1", "load.1m")), ward.fires("web1", "load.5m")
    answer = inside("ack", still.id[-8:], over.id[-8:], "--comment", "x")
    assert answer.code == 2 and f"alert {over.id[-8:]} (web1 load.1m) ended 2" in answer.err
    assert rows(ward) == [], "nor is anything else of the same line"


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        ((), "needs a comment"),
        (("--comment", " \t\n"), "blank"),
        (("--comment", "x" * 2000), "at most 1000"),
        (("--comment", "x", "--until", "2020-01-01"), "not in the future"),
        (("--comment", "x", "--until", "soon"), "neither a time from now"),
        (("--comment", "x", "--end"), "--end takes"),
    ],
)
def test_mistakes_are_told_and_change_nothing(ward: Ward, inside: Inside, words: tuple[str, ...], sign: str) -> None:
    alert = ward.fires()
    answer = inside("ack", alert.id, *words)
    assert answer.code == 2 and sign in answer.err
    assert rows(ward) == []
    assert inside("ack", "--comment", "x").code == 2


def test_hostile_words_are_inert(ward: Ward, inside: Inside) -> None:
    alert = ward.fires("web1", "disk.percent", ("mountpoint", past.HOSTILE))
    answer = inside("ack", alert.id, "--comment", past.HOSTILE, "--author", past.HOSTILE)
    assert answer.code == 0 and past.inert(answer.out) and len(answer.out.splitlines()) == 2
    for words in (("alerts",), ("alerts", alert.id), ("status",), ("show", "web1")):
        assert past.inert(inside(*words).out), words

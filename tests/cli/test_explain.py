"""`poller explain`: what is written about a code can be read without a checkout, however its name is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poller.cli.explanations import entries
from poller.errors import HostError
from tests.cli.calling import Inside, poller


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize(
    "words",
    [
        "auth/denied",
        "auth-denied",
        "docs/troubleshooting.md#auth-denied",
        "(docs/troubleshooting.md#auth-denied)",
        HostError("auth", "denied").hint,
    ],
)
def test_a_code_is_explained_as_it_stands_anywhere(tmp_path: Path, words: str) -> None:
    answer = poller(tmp_path, "explain", words)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("auth/denied\nThe login was refused.\n")
    assert "poller enroll HOST" in answer.out and answer.out.endswith("docs/troubleshooting.md#auth-denied\n")


def test_an_alert_of_the_poller_itself_is_explained_by_its_metric(inside: Inside) -> None:
    answer = inside("explain", "poller.archive_away_seconds")
    assert answer.out.startswith("poller.archive_away_seconds\n\nSeen: ")


def test_paragraphs_are_folded_to_the_terminal_and_commands_are_not(inside: Inside) -> None:
    lines = inside("explain", "store/away", COLUMNS="60").out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("    ")) <= 60
    assert any(line.startswith("    mariadb --host=") and len(line) > 60 for line in lines)


def test_without_a_code_all_are_listed(inside: Inside) -> None:
    answer = inside("explain")
    assert len(answer.out.splitlines()) == len(entries()) + 1
    assert "hostkey/changed" in answer.out
    document = json.loads(inside("explain", "--json").out)
    assert [one["code"] for one in document["codes"]] == [entry.name for entry in entries()]


def test_one_code_as_json(inside: Inside) -> None:
    document = json.loads(inside("explain", "hostkey/changed", "--json").out)
    assert set(document) == {"code", "sentence", "hint", "security", "text", "where"}
    assert document["security"] and document["where"] == "docs/troubleshooting.md#hostkey-changed"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("denied", "one of auth/denied, ping/denied, store/denied"),
        ("auth/denyed", "did you mean auth-denied?"),
        ("xyzzy", "`poller explain` lists all of them"),
    ],
)
def test_a_code_that_is_none_ends_with_the_one_that_was_meant(inside: Inside, words: str, hint: str) -> None:
    answer = inside("explain", words)
    assert (answer.code, answer.out) == (2, "") and hint in answer.err

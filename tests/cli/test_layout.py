"""Tables for people: whole at any width, without padding in a pipe, with digits that tell something."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from poller.cli.table import figures, plain_table, quantity, written
from tests.cli.calling import Inside
from tests.config.files import write


def rendered(width: int, *columns: str, rows: tuple[tuple[str, ...], ...]) -> str:
    table = plain_table(*columns)
    for row in rows:
        table.add_row(*row)
    stream = io.StringIO()
    Console(file=stream, width=width).print(table)
    return stream.getvalue()


HOSTS = (("web1", "ok", "5%", ""), ("database-server-1", "failed", "", "auth/denied: the login was refused\n-> enroll"))


def test_columns_stand_beside_each_other_where_there_is_room() -> None:
    assert rendered(100, "HOST", "STATE", ">CPU", "", rows=HOSTS).splitlines() == [
        "HOST               STATE   CPU",
        "web1               ok       5%",
        "database-server-1  failed       auth/denied: the login was refused",
        "                                -> enroll",
    ]


def test_a_sentence_that_finds_no_room_stands_below() -> None:
    assert rendered(45, "HOST", "STATE", ">CPU", "", rows=HOSTS).splitlines() == [
        "HOST               STATE   CPU",
        "web1               ok       5%",
        "database-server-1  failed",
        "    auth/denied: the login was refused",
        "    -> enroll",
    ]


def test_where_not_even_the_columns_fit_each_row_is_a_paragraph() -> None:
    assert rendered(12, "HOST", "STATE", ">CPU", "", rows=HOSTS[:1]).splitlines()[:3] == [
        "HOST   web1",
        "STATE  ok",
        "CPU    5%",
    ]


@pytest.mark.parametrize("width", [1, 8, 17, 30, 60, 200])
def test_nothing_is_ever_cut(width: int) -> None:
    shown = re.sub(r"\s", "", rendered(width, "HOST", "STATE", ">CPU", "", rows=HOSTS))
    for text in ("web1", "database-server-1", "auth/denied:theloginwasrefused", "->enroll"):
        assert text in shown


def test_no_line_of_any_command_ends_with_blanks_in_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "<poller><journal path='p.db'/><host name='me' address='local'/></poller>")
    inside = Inside(tmp_path, capsys, monkeypatch)
    inside("run", "-q")
    for words in ("run", "status", "query", "query hosts-now", "metrics", "metrics --host me", "config show me",
                  "db status", "db prune --dry-run", "doctor"):  # fmt: skip
        text = inside(*words.split(), COLUMNS="40").out
        assert text and not re.search(r"[ \t]$", text, re.MULTILINE), words
        assert "\x1b" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (18.0000000000151, "18"), (2.05204292774243, "2.05"), (0.0003, "0.0003"), (0.000123456, "0.000123"),
        (99.97, "100"), (541.26, "541.3"), (16777216.0, "16777216"), (12345.678, "12346"), (-1.5, "-1.5"),
        (float("inf"), "inf"), (1e-12, "0"),
    ],
)  # fmt: skip
def test_figures_are_few_and_never_an_exponent(value: float, text: str) -> None:
    assert figures(value) == text


def test_quantities_and_limits_have_units() -> None:
    assert quantity(1023.97 * 1024, "bytes per second") == "1.0 MiB/s"
    assert quantity(0.0456789, "seconds") == "0.0457s"
    assert [written(value, "bytes") for value in (0, 1, 1000, 1024, 5 * 2**30, 1.5)] == [
        "0", "1", "1kB", "1KiB", "5GiB", "1.5",
    ]  # fmt: skip
    assert [written(value, "seconds") for value in (0.5, 59, 60, 90, 86400)] == ["0.5", "59", "1m", "90s", "1d"]


def test_query_shows_sensible_digits_and_json_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "<poller><journal path='p.db'/><host name='me' address='local'/></poller>")
    inside = Inside(tmp_path, capsys, monkeypatch)
    inside("db", "upgrade")
    asked = ("query", "--sql", "SELECT 2.05204292774243 AS a")
    assert inside(*asked).out.split() == ["a", "2.05"]
    assert "2.05204292774243" in inside(*asked, "--json").out
    assert "2.05204292774243" in inside(*asked, "--csv").out
    assert "no rows" in inside("query", "cpu-top").err

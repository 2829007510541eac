"""`poller history`: the numbers of one metric as they were stored, and a line of blocks that shows its gaps."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from poller.cli.sparkline import bar, sparkline
from tests.cli import past
from tests.cli.calling import Inside
from tests.cli.test_terminal import on_terminal

MINUTE = 60_000


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    past.fill(tmp_path)
    return Inside(tmp_path, capsys, monkeypatch)


def test_a_row_for_each_label_with_units_for_people(inside: Inside) -> None:
    lines = inside("history", "web1", "disk.used_bytes").out.splitlines()
    assert lines[0].split() == ["MOUNTPOINT", "MIN", "AVG", "MAX", "LAST", "SAMPLES"]
    assert [line.split()[0] for line in lines[1:]] == ["/", "/home", "/var"]
    assert "GiB" in lines[1] and lines[1].split()[-1] == "4"


def test_json_and_csv_have_every_point_in_base_units(inside: Inside) -> None:
    document = json.loads(inside("history", "web1", "hardware.celsius{coretemp/Core 0}", "--json").out)
    assert (document["unit"], document["label_name"]) == ("degrees Celsius", "sensor")
    (series,) = document["series"]
    assert [value for _, value in series["points"]] == [40.0 + ago for ago in past.MINUTES_AGO]
    assert (series["min"], series["max"], series["last"]) == (41.0, 130.0, 41.0)
    assert 41.0 < series["avg"] < 130.0
    rows = list(csv.DictReader(io.StringIO(inside("history", "web1", "hardware.celsius{core*}", "--csv").out)))
    assert [float(row["value"]) for row in rows] == [value for _, value in series["points"]]
    assert {row["label"] for row in rows} == {"coretemp/Core 0"}


@pytest.mark.parametrize(
    ("metric", "host", "points"),
    [
        ("cpu.percent", "web1", 4),
        ("poll.seconds", "web1", 4),
        ("host.down", "lab1", 1),
        ("host.security", "web1", 4),
        ('disk.percent{mountpoint="/var"}', "web1", 4),
        ("cpu.core_percent{7}", "web1", 4),
        ("tcp.established", "web1", 4),
        ("network.receive_bytes_per_second{eth0}", "web1", 4),
    ],
)
def test_every_kind_of_metric_has_its_history(inside: Inside, metric: str, host: str, points: int) -> None:
    series = json.loads(inside("history", host, metric, "--json").out)["series"]
    assert [len(one["points"]) for one in series] == [points]


def test_time_narrows_it(inside: Inside) -> None:
    for words, points in ((("--since", "10m"), 2), (("--until", "10m"), 2), (("--since", "70m", "--until", "10m"), 1)):
        series = json.loads(inside("history", "web1", "cpu.percent", "--json", *words).out)["series"]
        assert len(series[0]["points"]) == points


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("web1", "cpu.percen"), "did you mean cpu.percent?"),
        (("wbe1", "cpu.percent"), "did you mean web1?"),
        (("web1", "disk.percent{/vra}"), "did you mean /var?"),
        (("web1", "cpu.percent{0}"), "no labels"),
        (("web1", "poller.backlog_polls"), "has no history"),
        (("web1", "cpu.percent", "--json", "--csv"), "exclude each other"),
        (("*1", "cpu.percent"), "matches 3 hosts"),
    ],
)
def test_mistakes_are_sentences(inside: Inside, words: tuple[str, ...], said: str) -> None:
    answer = inside("history", *words)
    assert answer.code == 2
    assert said in answer.err


def test_no_values_are_said_to_be_none(inside: Inside) -> None:
    answer = inside("history", "new1", "cpu.percent")
    assert (answer.code, answer.out) == (0, "")
    assert "no values" in answer.err


def test_a_terminal_gets_a_line_in_what_it_can_show(tmp_path: Path) -> None:
    past.fill(tmp_path)
    shown = on_terminal(tmp_path, "history", "web1", "hardware.celsius{coretemp/Core 0}", PYTHONIOENCODING="utf-8")
    assert "█" in shown and "SAMPLES" not in shown
    plain = on_terminal(tmp_path, "history", "web1", "hardware.celsius{coretemp/Core 0}", PYTHONIOENCODING="ascii")
    assert plain.isascii() and "#" in plain


def test_blanks_are_times_without_values() -> None:
    points = [(minute * MINUTE, float(minute)) for minute in range(60) if not 20 <= minute < 40]
    line = sparkline(points, 0, 60 * MINUTE, 30, blocks=True)
    assert len(line) == 30
    assert line[0] == "▁" and line[-1] == "█"
    assert line[10:20] == " " * 10 and " " not in line[:10] + line[20:]


def test_values_that_are_seldom_taken_leave_no_blanks() -> None:
    points = [(hour * 60 * MINUTE, 1.0) for hour in range(24)]
    assert set(sparkline(points, 0, 24 * 60 * MINUTE, 60, blocks=False)) == {"#"}


def test_lines_of_nothing_one_value_and_below_zero() -> None:
    assert sparkline([], 0, MINUTE, 10, blocks=True).strip() == ""
    assert sparkline([(0, 5.0)], 0, MINUTE, 10, blocks=True) == "█"
    assert sparkline([(0, 0.0), (MINUTE, 0.0)], 0, 2 * MINUTE, 1, blocks=True) == "▁"


def test_a_bar_is_as_full_as_its_share() -> None:
    assert bar(0, 4, blocks=False) == "...."
    assert bar(50, 4, blocks=False) == "##.."
    assert bar(250, 4, blocks=True) == "████"

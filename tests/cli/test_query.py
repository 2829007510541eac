"""`poller query`, as somebody at a terminal or a script has it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poller.cli import cli
from poller.cli.query import csv_text
from poller.errors import PollerError
from poller.model import Config
from poller.store import Journal
from poller.store.query import Result as Answer
from poller.store.query import cookbook
from tests.store.machines import failed, poll, values

Run = Callable[..., Result]
NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db")


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with a configuration that is given, not read."""
    monkeypatch.setattr("poller.cli.settings.Settings.config", config)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["query", *arguments])

    return invoke


@pytest.fixture
def filled(config: Config) -> None:
    with Journal.open(config.journal, now_ms=NOW_MS) as journal, journal.transaction() as work:
        for minutes_ago in (90, 1):
            one = replace(poll("web1"), id=f"w{minutes_ago}", at_ms=NOW_MS - minutes_ago * 60_000)
            work.store_poll(one, values(minutes_ago))
        work.store_poll(replace(failed("lab1"), at_ms=NOW_MS - 30_000, error="=cmd|' /C calc'!A0 \x1b[2J"), ())


def test_without_a_name_it_lists_what_can_be_asked(run: Run) -> None:
    result = run()
    assert result.exit_code == 0
    for page in cookbook().values():
        assert page.name in result.output
        assert page.title in result.output
    listed = json.loads(run("--json").output)
    assert [page["name"] for page in listed] == list(cookbook())
    assert [line.split(",")[0] for line in run("--csv").output.splitlines()] == ["name", *cookbook()]
    assert set(listed[0]) == {"name", "title", "explanation", "given"}


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", sorted(cookbook()))
def test_every_query_runs_in_every_form(run: Run, name: str) -> None:
    table, document, sheet = run(name), run(name, "--json"), run(name, "--csv")
    assert (table.exit_code, document.exit_code, sheet.exit_code) == (0, 0, 0), table.output
    rows = json.loads(document.output)
    assert len(list(csv.reader(io.StringIO(sheet.output)))) == len(rows) + 1


@pytest.mark.usefixtures("filled")
def test_since_until_host_and_limit_narrow_the_answer(run: Run) -> None:
    assert json.loads(run("cpu-top", "--json").output)[0]["samples"] == 2
    assert json.loads(run("cpu-top", "--since", "1h", "--json").output)[0]["samples"] == 1
    assert json.loads(run("cpu-top", "--since", "3h", "--until", "1h", "--json").output)[0]["samples"] == 1
    assert json.loads(run("cpu-top", "--since", "2001-01-01", "--until", "2001-01-02T08:00Z", "--json").output) == []
    assert [row["host"] for row in json.loads(run("hosts-now", "--host", "l*", "--json").output)] == ["lab1"]
    result = run("hosts-now", "--limit", "1", "--json")
    assert len(json.loads(result.stdout)) == 1
    assert "more rows" in result.stderr


@pytest.mark.usefixtures("filled")
def test_people_get_sizes_and_foreign_text_that_is_inert(run: Run) -> None:
    assert "GiB" in run("disk-fullest").output
    result = run("--sql", "SELECT error, at_ms FROM poll WHERE outcome = 'failed'")
    assert "\x1b" not in result.output
    assert "\\x1b[2J" in result.output
    assert time.strftime("%Y-", time.gmtime(NOW_MS / 1000 - 30)) in result.output


@pytest.mark.usefixtures("filled")
def test_a_spreadsheet_runs_nothing_of_ours(run: Run) -> None:
    text = run("--csv", "--sql", "SELECT error FROM poll WHERE outcome = 'failed'").output
    assert text.splitlines()[1].startswith("'=cmd|")


def test_only_texts_that_look_like_formulas_are_changed() -> None:
    row = ("=1", "+1", "-1", "@a", "\ta", "\ra", "a=1", "", None, -1.5, b"\x00\xff", 'say "x"')
    cells = next(csv.reader(io.StringIO(csv_text(Answer(tuple("abcdefghijkl"), (row,))), newline="").readlines()[1:]))
    assert cells[:4] == ["'=1", "'+1", "'-1", "'@a"]
    assert cells[4] == "'\ta"
    assert csv_text(Answer(("a",), (("\ra",),))) == 'a\r\n"\'\ra"\r\n'
    assert csv_text(Answer(tuple("abcdef"), (row[6:],))).splitlines()[1] == 'a=1,,,-1.5,00ff,"say ""x"""'


def test_json_has_no_infinity_and_no_bytes(run: Run, config: Config) -> None:
    Journal.open(config.journal, now_ms=NOW_MS).close()
    result = run("--json", "--sql", "SELECT 9e999 AS a, x'00ff' AS b, NULL AS c")
    assert json.loads(result.output) == [{"a": "inf", "b": "00ff", "c": None}]


def test_show_prints_what_can_be_pasted(run: Run) -> None:
    assert run("disk-growth", "--show").output == cookbook()["disk-growth"].text


@pytest.mark.parametrize("when", ["yesterday", "24", "h", "-5m", "2026-13-01", "99999999999999d", ""])
def test_a_time_that_is_none_is_a_mistake(run: Run, when: str) -> None:
    result = run("cpu-top", "--since", when)
    assert result.exit_code == 2
    assert "24h or 7d" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such"], "there is no query"),
        (["hosts-now", "--since", "1h"], "nothing like --since"),
        (["hosts-now", "--host", "a[1]"], "only \\* and \\?"),
        (["--json", "--csv", "hosts-now"], "exclude"),
        (["hosts-now", "--sql", "SELECT 1"], "of its own"),
        (["hosts-now"], "no database yet"),
        (["--sql", "DELETE FROM host"], "not a question"),
    ],
)
def test_mistakes_are_sentences(run: Run, arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, PollerError)
    with pytest.raises(PollerError, match=sentence):
        raise result.exception

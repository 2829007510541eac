"""`poller db` with an archive: status, ship, retry, copy and verify, as an administrator has them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from poller.cli import cli
from poller.errors import UsageError
from poller.model import ArchiveSettings, Config, Retention
from poller.store import Journal
from poller.store.sql import migrations
from tests.mariadb import Database
from tests.store.machines import START_MS, poll, values

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    archive = ArchiveSettings("sqlite", path=tmp_path / "archive.db")
    return Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db", archive=archive)


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("poller.cli.settings.Settings.config", config)
    return invoke


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["db", *arguments])


@pytest.fixture
def journal(config: Config) -> Path:
    """One poll from before the archive and two that wait for it."""
    for minute, archived in ((1, None), (2, True), (3, True)):
        with Journal.open(config.journal, now_ms=START_MS, archived=archived) as opened, opened.transaction() as work:
            work.store_poll(poll("web1", minute), values(minute))
    return config.journal


@pytest.mark.usefixtures("journal")
def test_ship_sends_what_waits_and_status_tells_how_it_is(run: Run, config: Config) -> None:
    before = json.loads(run("status", "--json").output)["archive"]
    assert (before["waiting"], before["enabled"], before["schema"]) == (2, True, None)
    assert before["problem"]["code"] == "absent"
    assert "2 polls shipped" in run("ship").output
    after = json.loads(run("status", "--json").output)["archive"]
    assert (after["waiting"], after["schema"], after["problem"], after["rejected"]) == (0, len(migrations()), None, 0)
    text = run("status").output.replace("\n", "")
    assert "sqlite:" in text
    assert "poller db copy journal archive" in text
    assert "away since" not in text
    again = json.loads(run("ship", "--json").output)
    assert (again["polls"], again["waiting"], again["away"]) == (0, 0, None)


@pytest.mark.usefixtures("journal")
def test_history_from_before_is_copied_once_and_both_are_equal(run: Run, config: Config) -> None:
    run("ship")
    assert run("verify", "journal", "archive").exit_code == 1
    copied = json.loads(run("copy", "journal", "archive", "--json").output)
    assert copied["rows"]["poll"] == 3
    result = run("verify", "journal", "archive", "--json")
    assert (result.exit_code, json.loads(result.output)["equal"]) == (0, True)
    assert json.loads(run("status", "--json").output)["archive"]["uncopied_ms"] is None
    assert "equal" in run("verify", "journal", "archive").output


@pytest.mark.usefixtures("journal")
def test_a_difference_is_named_and_exits_1(run: Run, config: Config, tmp_path: Path) -> None:
    run("copy", "journal", str(tmp_path / "other.db"))
    with Journal.open(tmp_path / "other.db", now_ms=START_MS) as other:
        other.queue().connection.execute("UPDATE host SET kernel = 'a\x1b[31m'")
    result = run("verify", "journal", f"sqlite:{tmp_path / 'other.db'}")
    assert result.exit_code == 1
    assert "host web1: kernel is 'Linux' in the first" in result.output
    assert "they differ" in result.output
    assert "\x1b" not in result.output
    document = json.loads(run("verify", "journal", str(tmp_path / "other.db"), "--json").output)
    assert document["tables"]["host"] == {"from": 1, "to": 1, "differing": 1}
    assert document["first"][0]["table"] == "host"


@pytest.mark.usefixtures("journal")
def test_an_archive_that_is_held_back_does_not_answer_as_if_it_knew_all(run: Run, config: Config) -> None:
    run("ship")
    asked = CliRunner().invoke(cli, ["query", "hosts-now", "--json"])
    assert asked.stderr == ""
    with closing(sqlite3.connect(config.journal)) as connection, connection:
        connection.execute("UPDATE archive_state SET away_since_ms = 1, code = 'older', error = 'its schema is 0'")
    asked = CliRunner().invoke(cli, ["query", "hosts-now", "--json"])
    assert json.loads(asked.stdout)
    assert asked.stderr.startswith("poller: archive away for ")
    assert "its schema is 0" in asked.stderr and "--journal" in asked.stderr
    assert CliRunner().invoke(cli, ["query", "hosts-now", "--json", "--journal"]).stderr == ""


@pytest.mark.usefixtures("journal")
def test_an_archive_that_is_away_exits_74_and_says_why(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = ArchiveSettings("sqlite", path=tmp_path / "missing" / "archive.db")
    monkeypatch.setattr("poller.cli.settings.Settings.config", replace(config, archive=gone))
    result = invoke("ship")
    assert result.exit_code == 74
    assert "0 polls shipped (0 rows), 2 waiting" in result.output
    assert "there is no such folder" in result.output
    result = CliRunner().invoke(cli, ["db", "ship", "--json"])
    assert json.loads(result.stdout)["away"]["code"] == "away"
    assert "away since" in invoke("status").output


@pytest.mark.usefixtures("journal")
def test_what_was_refused_is_shown_and_queued_again(run: Run, config: Config) -> None:
    with Journal.open(config.journal, now_ms=START_MS) as opened:
        opened.queue().connection.execute("INSERT INTO rejected SELECT *, 1, 'no such thing' FROM outgoing LIMIT 1")
        opened.queue().connection.execute("DELETE FROM outgoing")
    assert "no such thing" in run("status").output
    assert "1 item queued again" in run("retry").output
    assert json.loads(run("retry", "--json").output) == {"queued": 0}
    assert "1 poll shipped" in run("ship").output


@pytest.mark.usefixtures("journal")
def test_ship_and_copy_end_with_1_when_something_was_refused(run: Run, config: Config) -> None:
    assert run("ship").exit_code == 0
    assert config.archive and config.archive.path
    with closing(sqlite3.connect(config.archive.path)) as own, own:
        own.execute("CREATE TRIGGER no BEFORE INSERT ON poll BEGIN SELECT RAISE(ABORT, 'not here'); END")
    with Journal.open(config.journal, now_ms=START_MS) as opened, opened.transaction() as work:
        work.store_poll(poll("web1", 4), values(4))
    refused = run("ship")
    assert (refused.exit_code, "1 item refused" in refused.output) == (1, True)
    copied = run("copy", "journal", "archive")
    assert copied.exit_code == 1
    assert copied.stderr.count("refused: poll ") == 2, "the new one, and the one from before the archive"


@pytest.mark.usefixtures("journal")
def test_prune_cuts_the_archive_too(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(config, retention=Retention(samples=60.0, polls=60.0, events=60.0, cores=60.0))
    monkeypatch.setattr("poller.cli.settings.Settings.config", short)
    invoke("ship")
    found = json.loads(invoke("prune", "--json").output)
    assert found["archive_rows"] > 20
    assert found["rows"]["poll"] == 3
    assert "rows deleted" in invoke("prune").output


def test_what_cannot_be_is_a_sentence(run: Run, config: Config, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (
        ["copy", "journal", "journal"],
        ["copy", "journal", str(journal)],
        ["verify", "archive", f"sqlite:{config.archive and config.archive.path}"],
        ["copy", "journal", "postgres://x@y/z"],
        ["copy", "journal", "mysql://user:hunter2@y/z"],
    ):
        result = run(*arguments)
        assert isinstance(result.exception, UsageError), arguments
        assert "hunter2" not in str(result.exception)
    monkeypatch.setattr("poller.cli.settings.Settings.config", replace(config, archive=None))
    for arguments in (["ship"], ["copy", "journal", "archive"]):
        assert isinstance(run(*arguments).exception, UsageError)
    assert run("verify", "journal", "nowhere.db").exit_code != 0


@pytest.mark.usefixtures("journal")
def test_there_and_back_over_a_server(
    config: Config, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = database.writer
    monkeypatch.setattr("poller.cli.settings.Settings.config", replace(config, archive=archive))
    assert archive.password is not None
    url = f"mysql://{archive.user}@localhost:{archive.port}/{archive.database}?tls=verify&ca={archive.ca}"
    password = ["--password-file", archive.password.reference]
    assert run_ok("copy", "journal", url, *password)["rows"]["poll"] == 3
    assert run_ok("verify", "journal", url, *password)["equal"]
    assert run_ok("copy", "archive", f"sqlite:{tmp_path / 'back.db'}")["rows"]["poll"] == 3
    assert run_ok("verify", str(tmp_path / "back.db"), "journal")["equal"]
    status = run_ok("status")["archive"]
    assert (status["place"], status["problem"]) == (str(archive), None)
    secret = Path(archive.password.reference).read_text().strip()
    monkeypatch.setenv("THE_PASSWORD", secret)
    assert run_ok("verify", "archive", "journal", "--password-env", "THE_PASSWORD")["equal"]
    result = invoke("copy", "journal", url, "--password-env", "NOT_SET")
    assert result.exit_code != 0
    assert secret not in result.output + str(result.exception)


def run_ok(*arguments: str) -> Any:
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.output)


def test_each_command_explains_itself_with_examples(run: Run) -> None:
    for name in ("copy", "verify", "ship", "retry", "status"):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "Examples:" in result.output

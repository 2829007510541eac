"""`poller db`: status, upgrade, backup and prune, as an administrator has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poller.cli import cli
from poller.errors import PollerError, StoreError, UsageError
from poller.model import Config
from poller.store import Journal
from poller.store.aging import ROLLUPS
from poller.store.lock import PRUNING, LockFile
from poller.store.sql import migrations
from tests.store.machines import START_MS, poll, values

Run = Callable[..., Result]
NEWEST = len(migrations())


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db")


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("poller.cli.settings.Settings.config", config)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["db", *arguments])

    return invoke


@pytest.fixture
def filled(config: Config) -> None:
    """One poll, far too old to be kept."""
    old = replace(poll("web1"), at_ms=START_MS - 400 * 86_400_000)
    with Journal.open(config.journal, now_ms=START_MS) as journal, journal.transaction() as work:
        work.store_poll(old, values(1))


@pytest.mark.usefixtures("filled")
def test_status_tells_sizes_schema_and_rows(run: Run, config: Config) -> None:
    text = run("status").output
    assert str(config.journal) in text.replace("\n", "")
    assert "never" in text
    found = json.loads(run("status", "--json").output)
    assert found["rows"]["core_sample"] == 8
    assert found["schema"] == found["known_schema"] == NEWEST
    assert found["file_bytes"] > 0


def test_upgrade_makes_the_database_and_can_be_repeated(run: Run, config: Config) -> None:
    assert f"schema 0 -> {NEWEST}" in run("upgrade").output
    assert "up to date" in run("upgrade").output
    assert json.loads(run("upgrade", "--json").output) == {
        "path": str(config.journal),
        "before": NEWEST,
        "after": NEWEST,
    }


@pytest.mark.usefixtures("filled")
def test_backup_copies_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    assert "KiB" in run("backup", str(target)).output
    result = run("backup", str(target))
    assert isinstance(result.exception, UsageError)
    other = json.loads(run("backup", str(tmp_path / "other.db"), "--json").output)
    assert other == {"file": str(tmp_path / "other.db"), "bytes": target.stat().st_size}


@pytest.mark.usefixtures("filled")
def test_prune_counts_first_and_then_deletes(run: Run) -> None:
    counted = json.loads(run("prune", "--dry-run", "--json").output)
    assert counted["dry_run"]
    assert counted["rows"]["poll"] == 1
    assert "ROWS TOO OLD" in run("prune", "--dry-run").output
    deleted = json.loads(run("prune", "--json").output)["rows"]
    # What was not rolled up yet is so before it goes, and goes at once when that is too old as well.
    assert {table: deleted[table] for table in deleted if table not in ROLLUPS} == {
        table: count for table, count in counted["rows"].items() if table not in ROLLUPS
    }
    assert "given back" in run("prune").output
    assert json.loads(run("status", "--json").output)["rows"]["poll"] == 0


@pytest.mark.usefixtures("filled")
def test_prune_says_that_another_is_at_work_and_leaves_it_to_that_one(run: Run, config: Config) -> None:
    with LockFile(config.journal) as lock:
        assert lock.take(PRUNING)
        said = run("prune")
        assert (said.exit_code, said.output) == (0, "another prune is at work\n")
        assert json.loads(run("prune", "--json").output)["busy"]
    assert json.loads(run("status", "--json").output)["rows"]["poll"] == 1
    assert not json.loads(run("prune", "--json").output)["busy"]


@pytest.mark.parametrize("arguments", [["status"], ["prune"], ["prune", "--dry-run"], ["backup", "x.db"]])
def test_without_a_database_it_says_how_to_get_one_and_makes_none(
    run: Run, config: Config, arguments: list[str]
) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, StoreError)
    assert "poller run" in result.exception.hint
    assert not config.journal.exists()


def test_a_file_that_is_no_database_is_a_sentence(run: Run, config: Config) -> None:
    config.journal.write_text("something else entirely, " * 100)
    config.journal.chmod(0o600)
    for arguments in (["status"], ["upgrade"], ["prune"]):
        assert isinstance(run(*arguments).exception, PollerError)


def test_each_command_explains_itself_with_examples(run: Run) -> None:
    for arguments in ([], ["status"], ["upgrade"], ["backup"], ["prune"]):
        result = run(*arguments, "--help")
        assert result.exit_code == 0
        assert "Examples:" in result.output

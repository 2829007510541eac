"""`poller db init` and `poller db upgrade`, with a real MariaDB behind <archive>."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poller.cli import cli
from poller.errors import StoreError, UsageError
from poller.model import ArchiveSettings, Config, Secret
from poller.store.mysql import connect
from poller.store.mysql.migrate import check, steps
from poller.store.sql import migrations
from tests.mariadb import Database, MariaDb

Run = Callable[..., Result]
NEWEST = len(steps())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def invoke(archive: ArchiveSettings | None, *arguments: str) -> Result:
        config = Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db", archive=archive)
        monkeypatch.setattr("poller.cli.settings.Settings.config", config)
        return CliRunner().invoke(cli, ["db", *arguments])

    return invoke


def test_init_prints_accounts_without_connecting(run: Run) -> None:
    archive = ArchiveSettings("mysql", host="db.example.org", user="poller", database="poller")
    result = run(archive, "init", "--print", "--from", "192.0.2.5")
    assert result.exit_code == 0
    assert result.stdout.count("GRANT") == 3
    assert "'poller_reader'@'192.0.2.5'" in result.stdout


def test_init_makes_database_and_tables_where_the_account_may(run: Run, mariadb: MariaDb) -> None:
    archive = mariadb.settings(database="made_by_init")
    try:
        assert f"schema {NEWEST} is ready" in run(archive, "init").output
        assert run(archive, "init").exit_code == 0
        with connect(archive) as connection:
            check(connection)
    finally:
        mariadb.sql("DROP DATABASE made_by_init")


def test_who_may_not_is_told_what_prints_the_sql(run: Run, empty_database: Database) -> None:
    for command in ("init", "upgrade"):
        error = run(empty_database.writer, command).exception
        assert isinstance(error, StoreError)
        assert f"poller db {command} --print" in error.hint


def test_a_wrong_password_is_not_taken_for_a_lack_of_rights(run: Run, empty_database: Database, tmp_path: Path) -> None:
    (tmp_path / "wrong").touch(0o600)
    (tmp_path / "wrong").write_text("wrong")
    for command in ("init", "upgrade"):
        error = run(replace(empty_database.writer, password=Secret("file", str(tmp_path / "wrong"))), command).exception
        assert isinstance(error, StoreError)
        assert "password-file=" in error.hint and "--print" not in error.hint


def test_sql_is_not_printed_as_json(run: Run, empty_database: Database) -> None:
    assert isinstance(run(empty_database.writer, "upgrade", "--print", "--json").exception, UsageError)


def test_upgrade_brings_journal_and_archive_up_to_date(run: Run, empty_database: Database, tmp_path: Path) -> None:
    text = run(empty_database.migrator, "upgrade").output
    assert f"poller.db: schema 0 -> {len(migrations())}" in text
    assert f"{empty_database.migrator}: schema 0 -> {NEWEST}" in text
    found = json.loads(run(empty_database.writer, "upgrade", "--json").output)
    assert found["archive"] == {"path": str(empty_database.writer), "before": NEWEST, "after": NEWEST}
    assert found["before"] == found["after"] == len(migrations())


def test_upgrade_prints_what_is_due(run: Run, empty_database: Database) -> None:
    text = run(empty_database.writer, "upgrade", "--print").stdout
    assert text.startswith(f"USE `{empty_database.name}`;")
    assert text == run(replace(empty_database.writer, database="another_place"), "upgrade", "--print").stdout.replace(
        "another_place", empty_database.name
    )
    empty_database.server.sql(text)
    assert "up to date" in run(empty_database.writer, "upgrade", "--print").stdout
    assert "CREATE" not in run(empty_database.writer, "upgrade", "--print").stdout
    away = run(replace(empty_database.writer, port=1), "upgrade", "--print").exception
    assert isinstance(away, StoreError)


def test_an_archive_in_a_file_is_upgraded_too(run: Run, tmp_path: Path) -> None:
    archive = ArchiveSettings("sqlite", path=tmp_path / "archive.db")
    assert run(archive, "upgrade").output.count(f"schema 0 -> {len(migrations())}") == 2
    for arguments in (("init",), ("init", "--print"), ("upgrade", "--print")):
        assert isinstance(run(archive, *arguments).exception, UsageError)
        assert isinstance(run(None, *arguments).exception, UsageError)

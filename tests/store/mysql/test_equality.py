"""SQLite and MariaDB give the same answers to every question of the cookbook, however it is asked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from poller.cli import cli
from poller.errors import StoreError, UsageError
from poller.metrics import SAMPLE_TABLES
from poller.model import ArchiveSettings, Config
from poller.store.query import ask, ask_sql, cookbook, find, like
from poller.store.rollup_sql import ROLLED
from tests.mariadb import Database, MariaDb, make_database, remove_database
from tests.store.machines import START_MS
from tests.store.mysql import site

NAMES: Final = sorted(cookbook())
MINUTE: Final = 60_000
PERIOD: Final = {"since_ms": START_MS - 1, "until_ms": site.NOW_MS}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("both") / "poller.db"
    site.fill(made)
    return made


@pytest.fixture(scope="module")
def there(mariadb: MariaDb, path: Path) -> Iterator[Database]:
    made = make_database(mariadb)
    site.copy(path, made)
    yield made
    remove_database(made)


def given(name: str, **more: Any) -> dict[str, Any]:
    """The values that this query has a place for."""
    return {key: value for key, value in (PERIOD | more).items() if key in cookbook()[name].given}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"since_ms": START_MS + 11 * MINUTE},
        {"until_ms": START_MS + 21 * MINUTE},
        {"host_like": like("lab*")},
        {"host_like": like("?eb1")},
        {"host_like": "nobody", "since_ms": site.NOW_MS},
    ],
    ids=["all", "since", "until", "some hosts", "one host", "nobody"],
)
def test_both_databases_answer_the_same(path: Path, there: Database, name: str, more: dict[str, Any]) -> None:
    here, archive = (ask(source, find(name), given(name, **more)) for source in (path, there.reader))
    assert archive.columns == here.columns
    assert archive.rows == here.rows
    asked = given(name, **more)
    assert bool(here.rows) == ("nobody" not in asked.values())
    if "host_like" in asked and "host" in here.columns and here.rows:
        place = here.columns.index("host")
        assert {row[place] for row in here.rows} <= {"lab1", "lab2", "web1"}


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_cuts_both_alike(path: Path, there: Database, name: str) -> None:
    here, archive = (ask(source, find(name), given(name), 2) for source in (path, there.reader))
    assert (archive.rows, archive.more) == (here.rows, here.more)


@pytest.mark.parametrize("view", ["rounds", "hosts", "polls", "sections", "events", "alerts", "notifications",
                                  "acknowledgements", "silences", "messages", "alert_evidence",
                                  "metric_latest", *(f"{table}s" for table in SAMPLE_TABLES),
                                  *(f"{table.name}_history" for table in ROLLED)])  # fmt: skip
def test_every_view_shows_the_same(path: Path, there: Database, view: str) -> None:
    here, archive = (ask_sql(source, f"SELECT * FROM {view}") for source in (path, there.reader))
    assert archive.columns == here.columns
    assert sorted(map(plainly, archive.rows)) == sorted(map(plainly, here.rows))


def plainly(row: tuple[Any, ...]) -> list[str]:
    """Sortable. Whole numbers look alike: in MariaDB the column `value` of metric_latest is a floating-point one."""
    return [repr(float(cell)) if isinstance(cell, (int, float)) else repr(cell) for cell in row]


@pytest.fixture(scope="module")
def frozen(mariadb: MariaDb, path: Path) -> Iterator[Database]:
    """The same, with the moment of the defaults at the end of the data, as if it were asked then."""
    made = make_database(mariadb)
    site.copy(path, made)
    made.sql(f"CREATE OR REPLACE SQL SECURITY INVOKER VIEW moment AS {_MOMENT}")
    yield made
    remove_database(made)


_MOMENT: Final = (
    f"SELECT {site.NOW_MS} AS now_ms, {site.NOW_MS - 3_600_000} AS hour_ago_ms,"
    f" {site.NOW_MS - 86_400_000} AS day_ago_ms, {site.NOW_MS - 604_800_000} AS week_ago_ms"
)


@pytest.mark.parametrize("name", NAMES)
def test_pasted_into_the_shells_of_both_they_answer_the_same(path: Path, frozen: Database, name: str) -> None:
    """The file as it stands. Only how the shells spell numbers differs: 0.50 and 0.5, 17 digits and 15."""
    text = find(name).text
    here = shell(["sqlite3", "-batch", "-bail", "-separator", "\t", "-nullvalue", "NULL", str(path)],
                 f"CREATE TEMP VIEW moment AS {_MOMENT};\n{text}")  # fmt: skip
    client = ["mariadb", "--no-defaults", "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"]
    archive = shell([*client, "--user=root", f"--socket={frozen.server.socket}", frozen.name], text)
    assert len(archive) == len(here) > 0
    for row, wanted in zip(archive, here, strict=True):
        assert row == [pytest.approx(cell, rel=1e-12) if isinstance(cell, float) else cell for cell in wanted]


def shell(command: list[str], text: str) -> list[list[str | float]]:
    assert shutil.which(command[0]), f"{command[0]} is not installed: `make system-packages`"
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return [[number(cell) for cell in line.split("\t")] for line in done.stdout.splitlines()]


def number(cell: str) -> str | float:
    return float(cell) if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell) else cell


# Questions of one's own


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM host", "DROP TABLE poll", "", "SET GLOBAL read_only = 1", "CALL nothing()",
        "LOCK TABLES host WRITE", "SELECT nonsense FROM host", "SELECT * FROM nowhere", "SELEC 1",
        "SELECT 1; DELETE FROM host",
        "SELECT 1; COMMIT; DELETE FROM housekeeping", "WITH a AS (SELECT 1) DELETE FROM host", "SELECT (1",
        "SELECT 1 INTO OUTFILE '/tmp/never'", "SELECT 1 into /* */ dumpfile '/tmp/never'", "SELECT nofunction(1)",
    ],
)  # fmt: skip
def test_a_question_that_is_none_is_a_mistake_and_changes_nothing(there: Database, sql: str) -> None:
    with pytest.raises(UsageError):
        ask_sql(there.writer, sql)
    assert ask_sql(there.writer, "SELECT COUNT(*) FROM host").rows == ((len(site.HOSTS),),)


def test_what_may_not_be_read_is_not_the_questions_fault(there: Database) -> None:
    with pytest.raises(StoreError) as caught:
        ask_sql(there.reader, "SELECT * FROM mysql.user")
    assert caught.value.code == "denied"
    with pytest.raises(StoreError) as caught:
        ask_sql(replace(there.reader, port=1), "SELECT 1")
    assert caught.value.code == "away"


def test_a_question_that_takes_too_long_is_told_how_to_ask_for_less(there: Database) -> None:
    with pytest.raises(StoreError) as caught:
        ask_sql(replace(there.reader, timeout=1.0), "SELECT SLEEP(5)")
    assert "1 s" in caught.value.sentence
    assert "--since" in caught.value.hint and "timeout=" in caught.value.hint
    assert "journal" not in caught.value.hint


def test_a_question_of_ones_own_may_use_what_only_mariadb_has(there: Database) -> None:
    assert ask_sql(there.reader, "SHOW TABLES LIKE 'host'").rows == (("host",),)
    assert ask_sql(there.reader, "SELECT '%', '%s', 100 % 7").rows == (("%", "%s", 2),)
    assert ask_sql(there.reader, "SELECT name FROM host ORDER BY name", limit=1).more
    assert ask_sql(there.reader, "SELECT TIMESTAMP'2026-01-31 08:00:00', 1.50, NULL").rows == (
        ("2026-01-31 08:00:00", 1.5, None),
    )


# `poller query`


@pytest.fixture
def run(path: Path, there: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    journal = tmp_path / "other.db"
    site.fill(journal)
    subprocess.run(["sqlite3", str(journal), "DELETE FROM alert"], check=True)
    config = Config(path=tmp_path / "config.xml", journal=journal, archive=there.reader)
    monkeypatch.setattr("poller.cli.settings.Settings.config", config)
    return lambda *arguments: CliRunner().invoke(cli, ["query", *arguments])


def test_the_command_asks_the_archive_and_on_demand_the_journal(run: Callable[..., Result]) -> None:
    assert len(json.loads(run("alerts-now", "--json").stdout)) == 2 * len(site.HOSTS)
    assert json.loads(run("alerts-now", "--json", "--journal").stdout) == []
    since = ("--since", "2025-10-09", "--until", "2025-10-10", "--host", "lab*", "--json")
    assert json.loads(run("cpu-top", *since).stdout) == json.loads(run("cpu-top", *since, "--journal").stdout) != []
    assert run("--sql", "SELECT CONNECTION_ID() > 0 AS there", "--csv").stdout.split() == ["there", "1"]
    assert isinstance(run("--sql", "SELECT CONNECTION_ID()", "--journal").exception, UsageError)


def test_an_archive_that_is_another_file_is_asked_too(path: Path) -> None:
    archive = ArchiveSettings("sqlite", path=path)
    assert ask(archive, find("hosts-now"), {}).rows == ask(path, find("hosts-now"), {}).rows
    assert ask_sql(archive, "SELECT COUNT(*) FROM host").rows == ((len(site.HOSTS),),)

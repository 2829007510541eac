"""The database, the catalogue, the statements and the documentation say the same."""

from __future__ import annotations

import configparser
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poller.errors import STAGES
from poller.metrics import CATALOGUE, SAMPLE_TABLES, columns
from poller.model import PollOutcome, SectionStatus
from poller.store.query import cookbook
from poller.store.sql import migrations, root, statements

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "database.md"


@pytest.fixture(scope="module")
def schema() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in migrations():
            connection.executescript(step.text)
        yield connection


def names(schema: sqlite3.Connection, kind: str) -> set[str]:
    found = schema.execute("SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite%'", (kind,))
    return {name for (name,) in found}


def column_names(schema: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in schema.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", sorted(SAMPLE_TABLES))
def test_a_sample_table_has_exactly_the_columns_of_the_catalogue(schema: sqlite3.Connection, table: str) -> None:
    inventory = SAMPLE_TABLES[table][1]
    wanted = [f"{inventory}_id", "at_ms", *(metric.column for metric in columns(table))]
    assert column_names(schema, table) == wanted


def test_every_sample_table_belongs_to_the_catalogue(schema: sqlite3.Connection) -> None:
    assert {table for table in names(schema, "table") if table.endswith("_sample")} == set(SAMPLE_TABLES)
    for _, inventory, key in SAMPLE_TABLES.values():
        assert key in column_names(schema, inventory)


def test_sample_tables_are_in_the_order_of_their_key_and_have_no_foreign_keys(schema: sqlite3.Connection) -> None:
    for table in SAMPLE_TABLES:
        text = schema.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        assert "WITHOUT ROWID" in text
        assert "REFERENCES" not in text


def test_the_database_knows_the_catalogue(schema: sqlite3.Connection) -> None:
    stored = set(schema.execute("SELECT name, unit, label, sample_table, sample_column, sentence FROM metric"))
    assert stored == {
        (metric.name, metric.unit, metric.label, metric.table, metric.column, metric.sentence)
        for metric in CATALOGUE.values()
    }


def test_every_stage_and_outcome_has_its_place(schema: sqlite3.Connection) -> None:
    poll = column_names(schema, "poll")
    assert [name for name in poll if name.removesuffix("_seconds") in STAGES] == [
        f"{stage}_seconds" for stage in STAGES
    ]
    text = migrations()[0].text
    for outcome in PollOutcome:
        assert f"'{outcome}'" in text
        assert str(outcome) in column_names(schema, "round")
    for status in SectionStatus:
        assert f"'{status}'" in text


def test_every_view_can_be_read(schema: sqlite3.Connection) -> None:
    for view in names(schema, "view"):
        schema.execute(f"SELECT * FROM {view}").fetchall()


def test_every_statement_fits_the_schema_and_is_used(schema: sqlite3.Connection) -> None:
    code = "\n".join(file.read_text() for file in (ROOT / "poller" / "store").rglob("*.py"))
    for name, text in statements().items():
        values = dict.fromkeys(re.findall(r":(\w+)", text), 0)
        schema.execute(f"EXPLAIN {text}", values)
        generic = re.sub(r"^(find|add|change|touch|prune_each|prune|shipped)_\w+$", r"\1_", name)
        assert f'"{name}"' in code or f'f"{generic}{{' in code, name


def test_no_statement_reads_a_whole_sample_table_or_all_polls(schema: sqlite3.Connection) -> None:
    for name, text in statements().items():
        values = dict.fromkeys(re.findall(r":(\w+)", text), 0)
        plan = [row[3] for row in schema.execute(f"EXPLAIN QUERY PLAN {text}", values)]
        # The indexes of what is owed or held hold nothing else: to read all of it is the point.
        scanned = {step.split()[1] for step in plan if step.startswith("SCAN") and " notification_" not in step}
        assert not scanned & {*SAMPLE_TABLES, "poll", "event", "notification"}, (name, plan)


def test_names_that_mariadb_reserves_are_avoided(schema: sqlite3.Connection) -> None:
    reserved = {
        "key",
        "release",
        "signal",
        "system",
        "rows",
        "interval",
        "condition",
        "usage",
        "limit",
        "range",
        "rank",
    }
    for table in names(schema, "table"):
        assert not reserved & set(column_names(schema, table)), table


def test_the_page_names_every_table_view_column_and_query_and_no_other(schema: sqlite3.Connection) -> None:
    page = PAGE.read_text()
    documented = dict(re.findall(r"^### `(\w+)`.*\n((?:(?!^#).*\n)*)", page, re.MULTILINE))
    assert set(documented) == names(schema, "table") | names(schema, "view")
    for table in names(schema, "table") - set(SAMPLE_TABLES) - {"host_memory", "schema_migration", "housekeeping"}:
        rows = set(re.findall(r"^\| `(\w+)`", documented[table], re.MULTILINE))
        assert rows == set(column_names(schema, table)), table
    cooking = page.partition("## The cookbook")[2].partition("\n## ")[0]
    queries = set(re.findall(r"^\| `([a-z-]+)` \|", cooking, re.MULTILINE))
    assert queries == set(cookbook())
    for query in cookbook().values():
        assert f"| `{query.name}` | {query.title} |" in page


def test_the_sql_on_the_page_runs(schema: sqlite3.Connection) -> None:
    found = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) >= 3
    for text in found:
        schema.execute(text).fetchall()


def test_the_package_list_is_complete() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    folders = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for top in ("poller", "remote_probe")
        for file in (ROOT / top).rglob("__init__.py")
    }
    assert listed == folders | {"poller.sql"}


def test_the_sql_is_found_without_an_installation() -> None:
    assert {folder.name for folder in root().iterdir()} >= {"sqlite", "statements", "queries"}

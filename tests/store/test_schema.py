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
from poller.metrics import CATALOGUE, SAMPLE_TABLES, column_names
from poller.model import PollOutcome, SectionStatus
from poller.store import aging
from poller.store.archive.gather import _episode_statements, _sample_statements, polled
from poller.store.archive.tables import TABLES, columns
from poller.store.kinds import KINDS
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


def columns_of(schema: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in schema.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", sorted(SAMPLE_TABLES))
def test_a_sample_table_has_exactly_the_columns_of_the_catalogue(schema: sqlite3.Connection, table: str) -> None:
    inventory = SAMPLE_TABLES[table][1]
    assert columns_of(schema, table) == [f"{inventory}_id", "at_ms", *column_names(table)]


def test_every_sample_table_belongs_to_the_catalogue(schema: sqlite3.Connection) -> None:
    own = {"peer_sample", "process_sample"}  # with columns that are no metrics
    assert {table for table in names(schema, "table") if table.endswith("_sample")} == set(SAMPLE_TABLES) | own
    for _, inventory, key in SAMPLE_TABLES.values():
        assert key in columns_of(schema, inventory)


def test_sample_tables_are_in_the_order_of_their_key_and_have_no_foreign_keys(schema: sqlite3.Connection) -> None:
    for table in (*aging.SAMPLES, "peer_day", "log_line"):
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
    poll = columns_of(schema, "poll")
    assert [name for name in poll if name.removesuffix("_seconds") in STAGES] == [
        f"{stage}_seconds" for stage in STAGES
    ]
    text = migrations()[0].text
    for outcome in PollOutcome:
        assert f"'{outcome}'" in text
        assert str(outcome) in columns_of(schema, "round")
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
        generic = re.sub(r"^(prune|shipped)_\w+$", r"\1_", name)
        assert f'"{name}"' in code or f'f"{generic}{{' in code, name


# Tables that grow with time; every access to them goes by an index.
GROWING = {*aging.ALL, "event", "notification"}


def scanned(schema: sqlite3.Connection, text: str) -> set[str]:
    """Tables all of which a statement reads."""
    values = dict.fromkeys(re.findall(r":(\w+)", text), 0)
    plan = [row[3] for row in schema.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    # The indexes of what is owed or held hold nothing else: to read all of it is the point.
    return {step.split()[1] for step in plan if step.startswith("SCAN") and " notification_" not in step} & GROWING


def test_no_statement_reads_a_whole_table_that_grows(schema: sqlite3.Connection) -> None:
    for name, text in statements().items():
        assert not scanned(schema, text), name


def test_what_ages_is_deleted_and_gathered_by_an_index(schema: sqlite3.Connection) -> None:
    for one in aging.ALL.values():
        for spared in (False, True):
            assert not scanned(schema, one.deletion(spared=spared)), one.table
    for table, text in _sample_statements().items():
        assert not scanned(schema, polled([(1, 2), (3, 4)]) + text), table
        assert columns(table)[: len(TABLES[table].key)] == TABLES[table].key, "rows are put in the order of their key"
    for table, text in _episode_statements().items():
        assert not scanned(schema, text), table


def test_every_inventory_has_the_columns_of_its_kind_and_one_row_for_each_key(schema: sqlite3.Connection) -> None:
    for kind in KINDS:
        wanted = {"id", "host_id", *kind.key, *kind.changing, "first_seen_ms", "last_seen_ms"}
        if kind.section:
            wanted.add("gone_ms")
        assert wanted == set(columns_of(schema, kind.table)) - {"told_ms"}, kind.table
        unique = {"host_id", *kind.key} | ({"first_seen_ms"} if kind.section else set())
        indexes = [row[1] for row in schema.execute(f"PRAGMA index_list({kind.table})") if row[2]]
        found = [{row[2] for row in schema.execute(f"PRAGMA index_info('{name}')")} for name in indexes]
        assert unique in found, kind.table


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
        assert not reserved & set(columns_of(schema, table)), table


def test_the_page_names_every_table_view_column_and_query_and_no_other(schema: sqlite3.Connection) -> None:
    page = PAGE.read_text()
    documented = dict(re.findall(r"^### `(\w+)`.*\n((?:(?!^#).*\n)*)", page, re.MULTILINE))
    assert set(documented) == names(schema, "table") | names(schema, "view")
    untold = {"host_memory", "schema_migration", "housekeeping", "log_cursor", "address_name"}
    for table in names(schema, "table") - set(SAMPLE_TABLES) - set(aging.ROLLUPS) - untold:
        rows = set(re.findall(r"^\| `(\w+)`", documented[table], re.MULTILINE))
        assert rows == set(columns_of(schema, table)), table
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

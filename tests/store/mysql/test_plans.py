"""Nothing the poller asks or changes in its archive goes through a whole table that grows with time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from poller.model import Retention
from poller.store import Journal, aging
from poller.store.archive import rebuild, ship, trim
from poller.store.mysql import Mysql, connect
from poller.store.query import cookbook, find
from tests.mariadb import Database, MariaDb, make_database, remove_database
from tests.store.machines import START_MS
from tests.store.mysql import site

# What people plug in, mount and log in to in two years is little.
LITTLE: Final = frozenset(aging.EPISODES) - {"connection"}
GROWING: Final = frozenset({*aging.ALL, "section", "event", "notification", "oldest", "newest"}) - LITTLE


@pytest.fixture(scope="module")
def large(mariadb: MariaDb) -> Iterator[Database]:
    """50 hosts with four things of each kind over six hours: 18,000 polls, 72,000 rows in the larger tables."""
    made = make_database(mariadb)
    site.fill_large(made)
    yield made
    remove_database(made)


def scans(connection: Mysql, text: str, values: Any = ()) -> list[dict[str, Any]]:
    """The steps of a statement that read all of a growing table. A range of an index is none of them."""
    columns, rows = connection.select("EXPLAIN " + text.strip().rstrip(";"), values)
    steps = [dict(zip(columns, row, strict=True)) for row in rows]
    return [step for step in steps if step["table"] in GROWING and step["type"] in ("ALL", "index")]


@pytest.mark.parametrize("name", sorted(cookbook()))
def test_no_question_of_the_cookbook(large: Database, name: str) -> None:
    query = find(name)
    # A twenty-fourth of the time there is. For a sixth of it reading all is the better plan, and sometimes chosen.
    values = {"since_ms": site.NOW_MS - 900_000, "until_ms": site.NOW_MS}
    bound = {key: value for key, value in values.items() if key in query.given}
    with connect(large.reader) as connection:
        assert not scans(connection, query.text)
        assert not scans(connection, query.bound(bound, "%({})s"), bound)


@contextmanager
def logged(server: MariaDb, user: str) -> Iterator[list[str]]:
    """Every statement of a user meanwhile, as the server received it."""
    found: list[str] = []
    server.sql("TRUNCATE mysql.general_log; SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON")
    try:
        yield found
    finally:
        server.sql("SET GLOBAL general_log = OFF")
    with connect(server.settings(database="mysql")) as connection:
        rows = connection.query(
            "SELECT CONVERT(argument USING utf8mb4) FROM general_log"
            " WHERE command_type IN ('Query', 'Execute') AND user_host LIKE %s",
            (f"{user}[%",),
        )
        found += [text for (text,) in rows]


def test_no_statement_of_shipping_rebuilding_and_trimming(database: Database, large: Database, tmp_path: Path) -> None:
    site.fill(tmp_path / "poller.db", archived=True)
    stop = threading.Event()
    with logged(database.server, database.writer.user) as statements:
        with Journal.open(tmp_path / "poller.db", now_ms=site.NOW_MS, archived=True) as journal:
            assert ship(journal, database.writer, 1 << 30, stop, lambda: site.NOW_MS).away is None
        with Journal.open(tmp_path / "new.db", now_ms=site.NOW_MS, archived=True) as journal:
            rebuild(journal, database.writer, site.NOW_MS)
        trim(database.writer, Retention(), stop, START_MS + 86_400_000)
    kinds = {re.sub(r"'(\\.|[^'])*'|\b\d+\b", "?", text): text for text in statements}
    read = {
        text for text in kinds.values() if re.match(r"(SELECT|UPDATE|DELETE)\b.*\b(FROM|UPDATE)\b", text, re.DOTALL)
    }
    assert len(read) > 5
    with connect(large.writer) as connection:
        found = {text[:300]: steps for text in sorted(read) if (steps := scans(connection, text))}
    assert not found

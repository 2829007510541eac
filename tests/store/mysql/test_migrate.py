"""The schema in MariaDB: the journal's tables and views, made in steps that survive being killed anywhere."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from poller.errors import StoreError
from poller.metrics import CATALOGUE, SAMPLE_TABLES
from poller.model import ArchiveSettings
from poller.store.migrate import split
from poller.store.mysql import Mysql, connect
from poller.store.mysql.migrate import check, lock_name, recorded, steps, upgrade
from poller.store.mysql.script import init_script, script, whole_script
from poller.store.sql import Migration, migrations
from tests.mariadb import Database, MariaDb, make_database, remove_database

NOW_MS = 1_760_000_000_000
ONLY_IN_THE_JOURNAL = {
    "host_memory", "outgoing", "archive_state", "rejected", "log_cursor", "address_name", "flap_state",
}  # fmt: skip


@pytest.fixture(scope="module")
def ready(mariadb: MariaDb) -> Iterator[Database]:
    """A database with the schema, that no test changes."""
    made = make_database(mariadb)
    yield made
    remove_database(made)


def complaint(settings: ArchiveSettings) -> StoreError:
    with connect(settings) as connection, pytest.raises(StoreError) as caught:
        check(connection)
    return caught.value


# What is made


def columns_of_sqlite() -> dict[str, list[str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in migrations():
            connection.executescript(step.text)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        return {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
            if not name.startswith("sqlite_")
        }


def test_tables_and_views_have_the_columns_of_the_journal_in_their_order(ready: Database) -> None:
    wanted = {name: found for name, found in columns_of_sqlite().items() if name not in ONLY_IN_THE_JOURNAL}
    with connect(ready.reader) as connection:
        names = [name for (name,) in connection.query("SHOW TABLES")]
        assert {name: list(connection.select(f"SELECT * FROM {name}")[0]) for name in names} == wanted


def test_types_collation_and_engine_are_ours_whatever_the_servers_defaults_are(ready: Database) -> None:
    with connect(ready.writer) as connection:
        columns = connection.query(
            "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name IN"
            " (SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND engine = 'InnoDB')",
            (ready.name, ready.name),
        )
        views = connection.query(
            "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns"
            " WHERE table_schema = %s AND column_name IN ('at', 'label', 'started', 'closed', 'since')",
            (ready.name,),
        )
    assert len({row[0] for row in columns}) == 59
    for table, name, kind, collation in columns:
        assert kind in ("bigint", "double", "varchar", "text", "mediumtext", "binary"), (table, name)
        assert collation in (None, "utf8mb4_bin"), (table, name)
        if name.endswith("_ms"):
            assert kind == "bigint"
    assert {(name, kind, collation) for _, name, kind, collation in views if kind == "datetime"} == {
        (name, "datetime", None) for name in ("at", "started", "closed", "since")
    }
    assert {collation for _, name, _, collation in views if name == "label"} <= {"utf8mb4_bin"}


def test_the_archive_knows_the_catalogue(ready: Database) -> None:
    with connect(ready.reader) as connection:
        stored = set(connection.query("SELECT name, unit, label, sample_table, sample_column, sentence FROM metric"))
    assert stored == {
        (metric.name, metric.unit, metric.label, metric.table, metric.column, metric.sentence)
        for metric in CATALOGUE.values()
    }


def test_the_moment_is_now_in_utc(ready: Database) -> None:
    import time

    with connect(ready.reader) as connection:
        connection.execute("SET time_zone = '+09:30'")
        ((now_ms, day_ago_ms),) = connection.query("SELECT now_ms, day_ago_ms FROM moment")
    assert abs(now_ms - time.time() * 1000) < 5000
    assert now_ms - day_ago_ms == 86_400_000


def test_every_view_can_be_read_with_nothing_but_select(ready: Database) -> None:
    with connect(ready.reader) as connection:
        for name in columns_of_sqlite():
            if name not in ONLY_IN_THE_JOURNAL:
                connection.query(f"SELECT * FROM {name}")


def test_sample_tables_can_be_partitioned_by_time(empty_database: Database) -> None:
    empty_database.upgrade()
    with connect(empty_database.migrator) as connection:
        for table, (_, inventory, _) in SAMPLE_TABLES.items():
            connection.execute(
                f"ALTER TABLE {table} PARTITION BY RANGE (at_ms)"
                " (PARTITION p1 VALUES LESS THAN (1000), PARTITION p2 VALUES LESS THAN MAXVALUE)"
            )
            connection.insert(table, (f"{inventory}_id", "at_ms"), [(1, 999), (1, 1000)])
            connection.execute(f"ALTER TABLE {table} DROP PARTITION p1")
            assert connection.query(f"SELECT at_ms FROM {table}") == [(1000,)]


def test_foreign_text_is_told_apart_to_the_last_space(empty_database: Database) -> None:
    empty_database.upgrade()
    long = "/" + "x" * 4000
    names = ["/mnt/a", "/mnt/a ", "/mnt/A", "/mnt/ä", "/mnt/a\x00", long, long + "y"]
    with connect(empty_database.writer) as connection:
        connection.execute("INSERT INTO host (name, first_seen_ms) VALUES ('web1', 1)")
        ((host,),) = connection.query("SELECT id FROM host")
        columns = ("host_id", "mountpoint", "device", "type", "state", "first_seen_ms", "last_seen_ms")
        rows = [(host, name, "d", "t", "ok", 1, 1) for name in names]
        keep = "ON DUPLICATE KEY UPDATE last_seen_ms = VALUES(last_seen_ms)"
        assert connection.insert("filesystem", columns, rows, keep) == len(names)
        assert connection.insert("filesystem", columns, rows, keep) == 0
        assert [row[0] for row in connection.query("SELECT mountpoint FROM filesystem ORDER BY id")] == names
        with pytest.raises(StoreError) as caught:
            connection.insert("filesystem", columns, rows[:1])
        assert caught.value.code == "data"
        assert connection.query("SELECT HEX(mountpoint_hash) = SHA2(mountpoint, 256) FROM filesystem LIMIT 1") == [(1,)]


# How it is made


def test_each_state_of_the_schema_has_its_code(empty_database: Database) -> None:
    assert complaint(empty_database.writer).code == "absent"
    empty_database.upgrade()
    with connect(empty_database.writer) as connection:
        check(connection)
        connection.execute("UPDATE schema_migration SET applied_ms = 0, done = 3")
    assert complaint(empty_database.writer).code == "older"
    empty_database.upgrade()
    with connect(empty_database.writer) as connection:
        connection.execute("UPDATE schema_migration SET checksum = 'other'")
    assert complaint(empty_database.writer).code == "edited"
    with connect(empty_database.migrator) as connection:
        connection.execute("UPDATE schema_migration SET checksum = %s", (steps()[0].checksum,))
        connection.execute(
            "INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (99, 'later', 'x', 1)"
        )
        for refuse in (lambda: check(connection), lambda: upgrade(connection, NOW_MS)):
            with pytest.raises(StoreError) as caught:
                refuse()
            assert caught.value.code == "newer"


def test_an_upgrade_can_be_repeated_and_adds_what_is_new(empty_database: Database) -> None:
    known = [*steps(), Migration(len(steps()) + 1, "more", "CREATE TABLE IF NOT EXISTS more (a BIGINT);\n")]
    with connect(empty_database.migrator) as connection:
        assert upgrade(connection, NOW_MS) == (0, len(steps()))
        assert upgrade(connection, NOW_MS) == (len(steps()), len(steps()))
        assert upgrade(connection, NOW_MS, known) == (len(steps()), len(known))
        assert connection.query("SELECT * FROM more") == []
        assert [(step.version, step.applied_ms) for step in recorded(connection)][-1] == (len(known), NOW_MS)


def test_a_writer_cannot_upgrade(empty_database: Database) -> None:
    with connect(empty_database.writer) as connection, pytest.raises(StoreError) as caught:
        upgrade(connection, NOW_MS)
    assert caught.value.code == "denied"


def test_two_upgrades_at_once_do_it_once(empty_database: Database) -> None:
    results: list[tuple[int, int]] = []

    def run() -> None:
        with connect(empty_database.migrator) as connection:
            results.append(upgrade(connection, NOW_MS))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    newest = len(steps())
    assert sorted(results) == [(0, newest), (newest, newest), (newest, newest)]


def test_an_upgrade_that_never_gets_its_turn_is_busy(empty_database: Database) -> None:
    """A lock of the server's is held by name; its holder is whoever upgrades."""
    with connect(empty_database.migrator) as first, connect(replace(empty_database.migrator, timeout=2.0)) as second:
        held = lock_name(first)
        first.query("SELECT GET_LOCK(%s, 5)", (held,))
        with pytest.raises(StoreError) as caught:
            upgrade(second, NOW_MS)
        assert caught.value.code == "busy"
        first.query("SELECT RELEASE_LOCK(%s)", (held,))
        upgrade(second, NOW_MS)


_KILLED = """
import os, signal, sys
from poller.model import ArchiveSettings, Secret
from pathlib import Path
from poller.store.mysql import Mysql, connect
from poller.store.mysql.migrate import upgrade

class Doomed(Mysql):
    left = 0
    def execute(self, sql, values=()):
        before = self.left > 0 and sql.startswith(("INSERT INTO schema_migration", "UPDATE schema_migration"))
        if before and self.left == 1 and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().execute(sql, values)
        if before:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return done

settings = eval(sys.argv[1].replace("PosixPath", "Path"))
killed = 0
while True:
    child = os.fork()
    if child == 0:
        with connect(settings) as connection:
            connection.__class__ = Doomed
            connection.when = ("before", "after")[killed % 2]
            connection.left = 1 + killed % 3
            upgrade(connection, 1760000000000)
        os._exit(0)
    if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        killed += 1
    else:
        break
print(killed)
"""


def test_an_upgrade_that_is_killed_at_any_statement_is_completed_by_the_next(
    empty_database: Database, ready: Database
) -> None:
    """Killed -9 before or after every few statements' record is written, twenty times and more on the way."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, repr(empty_database.migrator)], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 20
    with connect(empty_database.writer) as connection:
        check(connection)
    assert shape(empty_database) == shape(ready)


def shape(database: Database) -> dict[str, str]:
    """Everything in a database as the server itself would write it down."""
    with connect(database.migrator) as connection:
        names = [name for (name,) in connection.query("SHOW TABLES")]
        made = {name: str(connection.query(f"SHOW CREATE TABLE {name}")[0][1]) for name in names}
        made["rows of metric"] = str(connection.query("SELECT * FROM metric ORDER BY name"))
        named = ((database.name, "d"), (database.migrator.user, "u"))
        return {name: text.replace(*named[0]).replace(*named[1]) for name, text in made.items()}


def test_a_column_that_was_added_before_the_upgrade_was_killed_is_no_obstacle(empty_database: Database) -> None:
    """MySQL knows no ADD COLUMN IF NOT EXISTS."""
    known = steps()
    add = "ALTER TABLE host ADD COLUMN colour TEXT, ADD KEY host_by_cpus (cpus)"
    step = Migration(len(known) + 1, "colour", f"{add};\nALTER TABLE host ADD COLUMN shape TEXT;\n")
    with connect(empty_database.migrator) as connection:
        upgrade(connection, NOW_MS)
        connection.execute(add)
        upgrade(connection, NOW_MS, (*known, step))
        again = replace(step, version=step.version + 1, text="ALTER TABLE poll ADD COLUMN x TEXT;\n" + step.text)
        with pytest.raises(StoreError, match="Duplicate column name"):
            upgrade(connection, NOW_MS, (*known, step, again))


def test_every_statement_can_be_run_again(empty_database: Database) -> None:
    with connect(empty_database.migrator) as connection:
        for _ in range(2):
            for step in steps():
                for statement in split(step.text):
                    connection.execute(statement)


def test_no_statement_names_a_collation_that_one_of_the_two_does_not_know() -> None:
    text = "".join(step.text for step in steps())
    assert "0900" not in text
    assert "uca1400" not in text
    assert "\\" not in "".join(line for line in text.splitlines() if not line.startswith("--"))


# What is printed for the administrator


def test_the_printed_steps_make_the_same_schema_when_pasted(empty_database: Database, ready: Database) -> None:
    text = script(empty_database.writer)
    assert text == whole_script(empty_database.writer)
    pasted(empty_database, text)
    with connect(empty_database.writer) as connection:
        check(connection)
        assert connection.query("SELECT DISTINCT applied_ms > 1700000000000 FROM schema_migration") == [(1,)]
    assert shape(empty_database) == shape(ready)
    assert "up to date" in script(empty_database.writer)


def test_an_upgrade_begun_by_the_poller_can_be_ended_by_pasting(empty_database: Database, ready: Database) -> None:
    with connect(empty_database.migrator) as connection:
        upgrade(connection, NOW_MS)
        newest = f"WHERE version = {len(steps())}"
        connection.execute(f"UPDATE schema_migration SET applied_ms = 0, done = done - 2 {newest}")
        connection.execute("DROP VIEW series_history")
    text = script(empty_database.writer)
    assert text.count("CREATE") == 2
    pasted(empty_database, text)
    assert shape(empty_database) == shape(ready)


def pasted(database: Database, text: str) -> None:
    """As the migrator, in the `mariadb` shell with its own defaults."""
    server, migrator = database.server, database.migrator
    assert migrator.password
    option_file = server.folder / "my.cnf"
    option_file.touch(0o600)
    secret = Path(migrator.password.reference).read_text().rstrip("\n").replace("\\", "\\\\")
    option_file.write_text(f'[client]\nuser={migrator.user}\npassword="{secret}"\n')
    subprocess.run(
        ["mariadb", f"--defaults-file={option_file}", "--host=localhost", "--protocol=tcp", f"--port={server.port}",
         f"--ssl-ca={server.ca}", "--ssl-verify-server-cert"],
        input=text, text=True, check=True,
    )  # fmt: skip


_DEFINE: Final = (
    "CREATE TABLE mine (a BIGINT)", "DROP TABLE poll", "ALTER TABLE poll ADD a BIGINT", "CREATE VIEW mine AS SELECT 1",
    "DROP VIEW polls", "CREATE INDEX mine ON poll (seconds)", "TRUNCATE TABLE poll", "CREATE DATABASE mine",
    "CREATE USER mine", "SET GLOBAL read_only = 1",
)  # fmt: skip
_CHANGE: Final = (
    "INSERT INTO housekeeping VALUES ('a', 1)",
    "UPDATE housekeeping SET done_ms = 2",
    "DELETE FROM housekeeping",
)
_MIGRATE: Final = (
    "CREATE TABLE mine (a BIGINT)", "ALTER TABLE mine ADD b BIGINT", "CREATE INDEX i ON mine (a)",
    "CREATE OR REPLACE VIEW yours AS SELECT 1 AS a", "DROP VIEW yours", "DROP TABLE mine",
)  # fmt: skip


def test_the_printed_accounts_have_their_rights_and_no_more(database: Database) -> None:
    for statement in _DEFINE:
        assert denied(database.writer, statement) == "denied", statement
        assert denied(database.reader, statement) == "denied", statement
    for statement in _CHANGE:
        assert denied(database.reader, statement) == "denied", statement
        assert denied(database.writer, statement) == "", statement
    for statement in ("SELECT * FROM polls", "SELECT * FROM poll"):
        assert denied(database.reader, statement) == "", statement
    for statement in _MIGRATE:
        assert denied(database.migrator, statement) == "", statement
    assert denied(database.migrator, "CREATE DATABASE mine") == "denied"


def denied(settings: ArchiveSettings, statement: str) -> str:
    """The code of the refusal, "" when it is carried out."""
    try:
        with connect(settings) as connection:
            connection.execute(statement)
    except StoreError as error:
        return error.code
    return ""


def test_a_database_with_wildcards_in_its_name_gives_no_rights_on_its_neighbours(mariadb: MariaDb) -> None:
    made = make_database(mariadb)
    neighbour = made.name.replace("_", "x")
    mariadb.sql(f"CREATE DATABASE {neighbour}")
    try:
        with pytest.raises(StoreError) as caught:
            connect(replace(made.writer, database=neighbour))
        assert caught.value.code == "denied"
    finally:
        mariadb.sql(f"DROP DATABASE {neighbour}")
        remove_database(made)


def test_the_script_does_nothing_before_a_password_is_put_in(mariadb: MariaDb) -> None:
    settings = ArchiveSettings("mysql", user="x'y`z", database="odd`na_me", tls="off")
    text = init_script(settings, "192.0.2.5")
    assert text.count("<") == text.count("-password>") == 4
    with pytest.raises(AssertionError, match="syntax"):
        mariadb.sql(text)
    assert "REQUIRE SSL" not in text
    assert "REQUIRE SSL" in init_script(replace(settings, tls="verify"))
    for role in ("migrator", "writer", "reader"):
        text = text.replace(f"<{role}-password>", "'secret'")
    mariadb.sql(text)
    assert (
        mariadb.sql("SELECT COUNT(*) FROM mysql.user WHERE user LIKE 'x''y`z%' AND host = '192.0.2.5'").strip() == "3"
    )
    mariadb.sql("DROP DATABASE `odd``na_me`; DROP USER 'x''y`z'@'192.0.2.5'; DROP USER 'x''y`z_reader'@'192.0.2.5';"
                " DROP USER 'x''y`z_migrator'@'192.0.2.5'")  # fmt: skip


def test_a_step_with_the_wrong_text_is_named(empty_database: Database) -> None:
    broken = [Migration(1, "broken", "CREATE TABLE IF NOT EXISTS a (b NONSENSE);\n")]
    with connect(empty_database.migrator) as connection:
        with pytest.raises(StoreError) as caught:
            upgrade(connection, NOW_MS, broken)
        assert caught.value.code == "store"
        assert isinstance(connection, Mysql)
        assert connection.query("SELECT IS_FREE_LOCK('poller')") == [(1,)]

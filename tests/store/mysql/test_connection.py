"""A connection to a real MariaDB: every setting as promised, every failure a sentence that tells what to do."""

from __future__ import annotations

import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poller.errors import PollerError, StoreError
from poller.model import ArchiveSettings, Secret
from poller.store.mysql import Mysql, connect
from tests.mariadb import Database, MariaDb, certificate_authority


@pytest.fixture
def connection(database: Database) -> Iterator[Mysql]:
    with connect(database.writer) as opened:
        yield opened


def refusal(settings: ArchiveSettings) -> StoreError:
    with pytest.raises(StoreError) as caught:
        connect(settings).close()
    return caught.value


# Settings of the session


def test_the_session_has_no_setting_left_to_chance(connection: Mysql) -> None:
    names = ("time_zone", "tx_isolation", "autocommit", "character_set_client", "collation_connection", "sql_mode",
             "max_statement_time", "innodb_lock_wait_timeout", "lock_wait_timeout")  # fmt: skip
    (found,) = connection.query("SELECT " + ", ".join(f"@@SESSION.{name}" for name in names))
    values = dict(zip(names, found, strict=True))
    assert values["time_zone"] == "+00:00"
    assert values["tx_isolation"] == "READ-COMMITTED"
    assert values["autocommit"] == 1
    assert (values["character_set_client"], values["collation_connection"]) == ("utf8mb4", "utf8mb4_general_ci")
    assert "STRICT_ALL_TABLES" in values["sql_mode"]
    assert not {"ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"} & set(values["sql_mode"].split(","))
    assert values["max_statement_time"] == connection.settings.timeout
    assert values["innodb_lock_wait_timeout"] == values["lock_wait_timeout"] == 7


def test_a_statement_that_takes_too_long_is_ended_and_the_connection_lives(database: Database) -> None:
    with connect(replace(database.writer, timeout=1.0)) as connection:
        before = time.monotonic()
        with pytest.raises(StoreError) as caught:
            connection.query("SELECT COUNT(*) FROM metric a, metric b, metric c, metric d, metric e")
        assert caught.value.code == "away"
        assert time.monotonic() - before < 5
        assert connection.query("SELECT 1") == [(1,)]


def test_a_server_that_stops_answering_does_not_hold_anybody(make_mariadb: Callable[..., MariaDb]) -> None:
    server = make_mariadb()
    with connect(replace(server.settings(), timeout=1.0), database=False) as connection:
        server.pause()
        try:
            before = time.monotonic()
            with pytest.raises(StoreError) as caught:
                connection.query("SELECT 1")
            assert caught.value.code == "away"
            assert "no answer" in caught.value.sentence
            assert refusal(replace(server.settings(), timeout=1.0)).code == "away"
            assert time.monotonic() - before < 10
        finally:
            server.resume()
        with pytest.raises(StoreError) as caught:  # and it is not used again
            connection.query("SELECT 1")
        assert caught.value.code == "away"


def test_a_server_that_is_killed_comes_back_on_its_port_with_what_was_committed(
    make_mariadb: Callable[..., MariaDb],
) -> None:
    server = make_mariadb()
    with connect(server.settings(), database=False) as connection:
        connection.execute("CREATE DATABASE kept")
        server.kill()
        with pytest.raises(StoreError) as caught:
            connection.query("SELECT 1")
        assert caught.value.code == "away"
    assert refusal(server.settings()).code == "away"
    server.start()
    with connect(server.settings(database="kept")) as connection:
        assert connection.query("SELECT DATABASE()") == [("kept",)]


def test_a_connection_that_an_administrator_ends_is_away(database: Database, connection: Mysql) -> None:
    ((number,),) = connection.query("SELECT CONNECTION_ID()")
    database.sql(f"KILL {number}")
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            connection.execute("DELETE FROM event")
        assert caught.value.code == "away"


def test_two_statements_in_one_are_refused(connection: Mysql) -> None:
    with pytest.raises(StoreError):
        connection.execute("DELETE FROM event; DELETE FROM host")


def test_a_reader_sees_what_others_commit_meanwhile(database: Database, connection: Mysql) -> None:
    with connect(database.reader) as reader, reader.transaction():
        assert reader.query("SELECT COUNT(*) FROM housekeeping") == [(0,)]
        connection.execute("INSERT INTO housekeeping VALUES ('a', 1)")
        assert reader.query("SELECT COUNT(*) FROM housekeeping") == [(1,)]


# Failures


def test_who_may_not_enter_is_told_so_without_the_password(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "pass"
    file.touch(0o600)
    file.write_text("hunter2-hunter2")
    error = refusal(replace(database.writer, password=Secret("file", str(file))))
    assert error.code == "denied"
    shown = repr(error) + str(error) + error.hint + repr(error.__cause__) + repr(error.__context__)
    assert "hunter2" not in shown
    assert refusal(replace(database.writer, user="nobody")).code == "denied"
    assert refusal(database.server.settings(database="elsewhere")).code == "absent"


def test_whose_password_is_right_is_not_told_that_it_is_wrong(database: Database) -> None:
    error = refusal(replace(database.writer, database="elsewhere"))
    assert error.code == "denied"
    assert "password" not in error.sentence and "rights on that database" in error.sentence
    assert "poller db init --print" in error.hint and "url=" in error.hint


def test_a_password_that_cannot_be_read_is_the_files_fault(database: Database, tmp_path: Path) -> None:
    with pytest.raises(PollerError) as caught:
        connect(replace(database.writer, password=Secret("file", str(tmp_path / "none"))))
    assert caught.value.code == "secret"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("INSERT INTO housekeeping VALUES (NULL, 1)", "data"),
        ("INSERT INTO housekeeping VALUES (REPEAT('a', 65), 1)", "data"),
        ("INSERT INTO housekeeping VALUES ('a', 9223372036854775808)", "data"),
        ("INSERT INTO housekeeping VALUES ('a', 'one')", "data"),
        ("INSERT INTO housekeeping VALUES ('a', 1), ('a', 2)", "data"),
        ("INSERT INTO section VALUES ('none', 'cpu', 'ok', '', 0)", "data"),
        ("INSERT INTO event VALUES ('e', NULL, 'k', 1, 'dreadful', '')", "data"),
        ("SELECT * FROM nowhere", "absent"),
        ("CREATE TABLE mine (a INTEGER)", "denied"),
        ("SELECT nonsense", "store"),
    ],
)
def test_a_complaint_of_the_server_has_the_code_that_tells_what_to_do(connection: Mysql, sql: str, code: str) -> None:
    with pytest.raises(StoreError) as caught:
        connection.execute(sql)
    assert caught.value.code == code
    assert str(connection.settings) in caught.value.sentence
    assert caught.value.hint
    assert connection.query("SELECT COUNT(*) FROM housekeeping") == [(0,)]


def test_a_lock_that_another_holds_and_a_deadlock_are_busy(database: Database) -> None:
    impatient = replace(database.writer, timeout=3.0)
    with connect(impatient) as one, connect(impatient) as two:
        one.execute("INSERT INTO housekeeping VALUES ('a', 1), ('b', 1)")
        with pytest.raises(StoreError) as caught, one.transaction():
            one.execute("UPDATE housekeeping SET done_ms = 2 WHERE task = 'a'")
            with two.transaction():
                two.execute("UPDATE housekeeping SET done_ms = 3 WHERE task = 'a'")
        assert caught.value.code == "busy"
        assert one.query("SELECT SUM(done_ms) FROM housekeeping") == [(2,)]
        assert deadlock(one, two) == ["busy"]


def deadlock(one: Mysql, two: Mysql) -> list[str]:
    """Each takes what the other wants next; the server ends one of them at once. The codes of those that failed."""
    codes: list[str] = []
    both = threading.Barrier(2, timeout=10)

    def take(connection: Mysql, first: str, second: str) -> None:
        try:
            with connection.transaction():
                connection.execute("UPDATE housekeeping SET done_ms = 4 WHERE task = %s", (first,))
                both.wait()
                connection.execute("UPDATE housekeeping SET done_ms = 5 WHERE task = %s", (second,))
        except StoreError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=take, args=args) for args in ((one, "a", "b"), (two, "b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return codes


def test_what_listens_there_and_is_no_database_is_away() -> None:
    answers = (b"SSH-2.0-OpenSSH_9.2p1\r\n", b"", b"\x00" * 64, b"\x05\x00\x00\x00\x0aabc", b"HTTP/1.1 400 Bad\r\n\r\n")
    for answer in answers:
        with greeting(answer) as port:
            error = refusal(ArchiveSettings("mysql", host="127.0.0.1", port=port, user="p", database="d", timeout=2.0))
            assert error.code == "away", answer


@contextmanager
def greeting(answer: bytes) -> Iterator[int]:
    """A server that says one thing to whoever comes, and hangs up."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_a_name_that_does_not_resolve_and_a_port_that_is_closed_are_away(database: Database) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    assert refusal(replace(database.writer, port=port)).code == "away"
    assert refusal(replace(database.writer, host="nowhere.invalid")).code == "away"
    assert refusal(replace(database.writer, socket=Path("/nonexistent/sock"))).code == "away"


# TLS


def cipher(settings: ArchiveSettings) -> str:
    with connect(settings) as connection:
        return str(connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1])


def test_tls_is_verified_with_the_name_of_the_host(database: Database, tmp_path: Path) -> None:
    assert database.writer.tls == "verify"
    assert cipher(database.writer)
    wrong_name = refusal(replace(database.writer, host="127.0.0.1"))
    assert (wrong_name.code, "not for that name" in wrong_name.sentence) == ("away", True)
    wrong_authority = refusal(replace(database.writer, ca=certificate_authority(tmp_path / "ca.pem", "somebody else")))
    assert (wrong_authority.code, "not signed by" in wrong_authority.sentence) == ("away", True)
    assert "not signed by" in refusal(replace(database.writer, ca=None)).sentence  # the CAs of the system
    no_authority = refusal(replace(database.writer, ca=tmp_path / "none.pem"))
    assert "the file ca= names" in no_authority.sentence


def test_tls_can_be_required_without_a_name_to_verify(database: Database) -> None:
    assert cipher(replace(database.writer, tls="require", host="127.0.0.1", ca=None))


def test_an_account_that_requires_tls_is_refused_without_and_the_socket_needs_none(database: Database) -> None:
    assert refusal(replace(database.writer, tls="off")).code == "denied"
    root = database.server.settings(database=database.name)
    assert cipher(replace(root, tls="off", host="127.0.0.1")) == ""
    assert cipher(replace(root, socket=database.server.socket)) == ""


def test_a_server_without_tls_is_refused_before_anything_is_sent(make_mariadb: Callable[..., MariaDb]) -> None:
    server = make_mariadb("--skip-ssl")
    for tls in ("verify", "require"):
        error = refusal(replace(server.settings(database="mysql"), tls=tls))
        assert (error.code, "TLS" in error.sentence) == ("away", True)
    assert cipher(replace(server.settings(database="mysql"), tls="off")) == ""


# Values


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
_CELLS = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.one_of(st.none(), _TEXT),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e12)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_CELLS, min_size=1, max_size=20))
def test_every_value_comes_back_as_it_was_stored(shared: Mysql, rows: list[tuple[object, ...]]) -> None:
    shared.execute("DELETE FROM cells")
    numbered = [(number, *row) for number, row in enumerate(rows)]
    assert shared.insert("cells", ("n", "a", "b", "c", "d"), numbered) == len(rows)
    found = shared.query("SELECT n, a, b, c, d FROM cells ORDER BY n")
    assert found == numbered


@pytest.fixture(scope="module")
def shared(mariadb: MariaDb) -> Iterator[Mysql]:
    """A table with a column of each kind."""
    mariadb.sql("CREATE DATABASE cells; CREATE TABLE cells.cells (n BIGINT, a BIGINT, b DOUBLE, c TEXT, d DOUBLE)"
                " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")  # fmt: skip
    with connect(mariadb.settings(database="cells")) as connection:
        yield connection
    mariadb.sql("DROP DATABASE cells")


HOSTILE = (
    "'; DROP TABLE cells; -- ", "\\'", "\\", '"', "%s %(a)s %%", "\x00\x1a\n\r\t", "/* */", "a ", "a", "ä𝄞\u202e",
    "\nDELIMITER //\n", "ON DUPLICATE KEY UPDATE", "VALUES (%s)",
)  # fmt: skip


def test_hostile_text_is_only_text(shared: Mysql) -> None:
    shared.execute("DELETE FROM cells")
    shared.insert("cells", ("n", "c"), list(enumerate(HOSTILE)), "ON DUPLICATE KEY UPDATE c = VALUES(c)")
    assert [row[0] for row in shared.query("SELECT c FROM cells ORDER BY n")] == list(HOSTILE)
    for number, text in enumerate(HOSTILE):
        assert (number,) in shared.query("SELECT n FROM cells WHERE c = %s", (text,))
        assert (number,) in shared.query("SELECT n FROM cells WHERE c = %(c)s AND c LIKE '%%'", {"c": text})


@pytest.mark.parametrize("cell", [math.nan, math.inf, -math.inf, "\ud800", 2**63, object()])
def test_what_no_column_can_hold_is_refused_as_data(shared: Mysql, cell: object) -> None:
    with pytest.raises(StoreError) as caught, shared.transaction():
        shared.insert("cells", ("n", "a"), [(1, cell)])
    assert caught.value.code == "data"


def test_many_rows_go_in_statements_the_server_takes(make_mariadb: Callable[..., MariaDb]) -> None:
    server = make_mariadb("--max-allowed-packet=65536")
    server.sql("CREATE DATABASE d; CREATE TABLE d.t (n BIGINT PRIMARY KEY, c TEXT)")
    with connect(server.settings(database="d")) as connection:
        rows = [(number, "x" * 100) for number in range(5000)]
        assert connection.insert("t", ("n", "c"), rows) == 5000
        assert connection.insert("t", ("n", "c"), rows, "ON DUPLICATE KEY UPDATE n = n") == 0
        assert connection.insert("t", ("n", "c"), []) == 0
        with pytest.raises(StoreError) as caught:
            connection.insert("t", ("n", "c"), [(9999, "x" * 70_000)])
        assert caught.value.code in ("data", "away")
    with connect(server.settings(database="d")) as connection:
        assert connection.query("SELECT COUNT(*) FROM t") == [(5000,)]


def test_a_row_that_is_alike_in_another_key_is_refused_and_not_written_over(database: Database) -> None:
    from poller.store.archive.statements import on_duplicate

    columns = ("id", "open_key", "host_id", "metric", "labels", "severity", "limit_text", "since_ms", "opened_ms",
               "updated_ms")  # fmt: skip
    row = ("key", 1, "m", "{}", "low", "", 1, 1, 1)
    with connect(database.writer) as connection:
        connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (1, 'web1', 1)")
        tail = on_duplicate("alert", columns, current=False)
        connection.insert("alert", columns, [("a", *row), ("a", *row)], tail)
        with pytest.raises(StoreError) as caught:
            connection.insert("alert", columns, [("a", *row), ("b", *row)], tail)
        assert caught.value.code == "data"
        assert connection.query("SELECT id FROM alert") == [("a",)]


def test_the_driver_is_loaded_by_nobody_who_does_not_ask_a_server() -> None:
    import subprocess

    code = "import poller.cli, poller.app, poller.store, poller.store.query, sys; print('mysql' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

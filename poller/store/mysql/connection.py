"""One connection to MySQL or MariaDB, with every setting that matters made explicit, and its errors in words."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

from mysql.connector import Error
from mysql.connector.connection import MySQLConnection
from mysql.connector.constants import ClientFlag

from poller.config.secret import reveal
from poller.errors import StoreError
from poller.model import ArchiveSettings
from poller.store.mysql.cells import plain
from poller.store.mysql.faults import ends_connection, store_error
from poller.store.mysql.rows import statements

CONNECT_SECONDS: Final = 10.0
MOST_WAITING_SECONDS: Final = 60.0  # for a lock: whoever waits to change a table keeps everybody else from it
# Strict, so that nothing is cut or bent to fit; without ANSI_QUOTES and NO_BACKSLASH_ESCAPES, which the driver's
# quoting does not know of.
SQL_MODE: Final = (
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"
    "ONLY_FULL_GROUP_BY"
)
_LEAST_PACKET: Final = 16 * 1024
_MOST_BATCH: Final = 1 << 20

Values = Sequence[Any] | Mapping[str, Any]


def connect(settings: ArchiveSettings, *, database: bool = True) -> Mysql:
    """A connection that is ready to work in the database of the settings, or in none yet.

    Raises StoreError: code `away` (cannot be reached, also for a TLS that does not verify), `denied`, `absent` (no
    such database); PollerError (code `secret`) when the password cannot be read.
    """
    password = "" if settings.password is None else reveal(settings.password)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the driver's advice on TLS versions is for who runs the server
            connection = MySQLConnection(**_arguments(settings, password, database=database))
        opened = Mysql(settings, connection)
    except Exception as error:  # the driver stumbles in many ways over a greeting that is not MySQL's
        raise store_error(error, settings) from error
    try:
        opened.set_up()
    except BaseException:
        opened.close()
        raise
    return opened


def _arguments(settings: ArchiveSettings, password: str, *, database: bool) -> dict[str, Any]:
    """What the driver is told; nothing is left to its defaults where they differ from what is wanted.

    - This class is the pure Python one: the C extension hung behind proxies (StarRocks/starrocks-connector issue 29),
      ignores signals and has leaked.
    - Without a collation it asks for utf8mb4_0900_ai_ci, which MariaDB does not know (error 1273, cowrie issue 1580).
    - The defaults are no autocommit, no check of the certificate, none of the identity, and no time-out at all.
    - A statement is one statement: more behind a semicolon are refused by the server.
    """
    place = (
        {"host": settings.host, "port": settings.port}
        if settings.socket is None
        else {"unix_socket": str(settings.socket)}
    )
    return {
        **place,
        **_tls(settings),
        **({"database": settings.database} if database else {}),
        "user": settings.user,
        "password": password,
        "charset": "utf8mb4",
        "collation": "utf8mb4_general_ci",
        "autocommit": True,
        "time_zone": "+00:00",
        "sql_mode": SQL_MODE,
        "allow_local_infile": False,
        "client_flags": [-ClientFlag.MULTI_STATEMENTS],
        "connection_timeout": max(1, math.ceil(min(settings.timeout, CONNECT_SECONDS))),
        # A little more than the server's own time-out, which ends a statement without ending the connection.
        "read_timeout": math.ceil(settings.timeout) + 1,
        "write_timeout": math.ceil(settings.timeout) + 1,
    }


def _tls(settings: ArchiveSettings) -> dict[str, Any]:
    if settings.tls == "off" or settings.socket is not None:
        return {"ssl_disabled": True}
    verify = settings.tls == "verify"
    return {
        "ssl_disabled": False,
        "ssl_verify_cert": verify,
        "ssl_verify_identity": verify,
        **({"ssl_ca": str(settings.ca)} if settings.ca is not None and verify else {}),
    }


class Mysql:
    """One connection, used by one thread. After a StoreError with code `away` it is of no more use: connect anew.

    SQL has parameters %s or %(name)s. Numbers that the server calculated exactly come back as int or float,
    datetimes as text, as SQLite gives them.
    """

    def __init__(self, settings: ArchiveSettings, connection: MySQLConnection) -> None:
        self.settings = settings
        self._connection = connection
        self._cursor = connection.cursor()  # once: the driver asks the server whether it is there each time
        self._lost = False
        self._packet = _LEAST_PACKET

    def set_up(self) -> None:
        """The session: the newest committed state on every read, and nothing waits for ever.

        READ COMMITTED, because with MariaDB's default a reader that does not commit sees old data for ever
        (PyMySQL issue 390).
        """
        ((version, packet),) = self.query("SELECT @@version, @@max_allowed_packet")
        self._packet = max(_LEAST_PACKET, int(packet))
        seconds = self.settings.timeout
        waiting = max(1, math.ceil(min(seconds / 3, MOST_WAITING_SECONDS)))
        self.execute(
            f"SET SESSION innodb_lock_wait_timeout = {waiting}, lock_wait_timeout = {waiting},"
            f" {_statement_time(str(version), seconds)}"
        )
        self.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        if self.settings.tls == "require" and self.settings.socket is None:
            self._check_encrypted()

    def _check_encrypted(self) -> None:
        """Without a certificate to check the driver falls back to plain text when the server offers no TLS."""
        cipher = self.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        if not cipher or not cipher[0][1]:
            raise StoreError(f"{self.settings}: it does not offer TLS", "set up TLS there, or tls=off", code="away")

    def __enter__(self) -> Mysql:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Never raises: what was not committed is gone with the connection."""
        with contextlib.suppress(Exception):
            self._connection.close()

    @contextmanager
    def _talk(self) -> Iterator[None]:
        """One statement and the whole of its answer. Broken off between the two, the connection is of no more use."""
        if self._lost:
            raise StoreError(f"{self.settings}: the connection is lost", "it is made anew at the next try", code="away")
        self._lost = True
        try:
            yield
            self._lost = False
        except StoreError:
            self._lost = False  # what was to be sent is wrong
            raise
        except (Error, OSError) as error:
            self._lost = ends_connection(error)
            raise store_error(error, self.settings) from error

    def query(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement that gives some."""
        return self.select(sql, values)[1]

    def select(self, sql: str, values: Values = ()) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Column names and all rows."""
        with self._talk():
            self._cursor.execute(sql, _given(values))
            columns = tuple(str(column[0]) for column in self._cursor.description or ())
            found: Any = self._cursor.fetchall() if columns else []
        return columns, [tuple(plain(cell) for cell in row) for row in found]

    def execute(self, sql: str, values: Values = ()) -> int:
        """Runs one statement; returns the number of rows it changed."""
        with self._talk():
            self._cursor.execute(sql, _given(values))
            if self._cursor.with_rows:
                self._cursor.fetchall()
            return int(self._cursor.rowcount)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], tail: str = "") -> int:
        """Rows by multi-row INSERTs, each small beside max_allowed_packet; returns how many rows the server counts.

        `tail` stands behind the rows: "ON DUPLICATE KEY UPDATE a = VALUES(a)" (which counts 2 for a row it changes).
        Several statements may be needed: use it inside a transaction. StoreError `data` for values no column can hold.
        """
        most_bytes = min(self._packet // 4, _MOST_BATCH)
        count = 0
        with self._talk():
            for statement in statements(table, columns, rows, tail, most_bytes, self._quoted):
                count += int(self._connection.cmd_query(statement)["affected_rows"])
        return count

    def _quoted(self, text: str) -> bytes:
        """A text as a literal, by the rules of the driver for this session."""
        converter = self._connection.converter
        if converter is None:
            raise OSError("the connection is closed")
        return bytes(converter.quote(converter.escape(text.encode(), SQL_MODE)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed at its end, or nothing. Not for DDL, which commits by itself."""
        self.execute("START TRANSACTION")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(StoreError):
                self.execute("ROLLBACK")
            raise


def _given(values: Values) -> Any:
    return dict(values) if isinstance(values, Mapping) else tuple(values)


def _statement_time(version: str, seconds: float) -> str:
    """MariaDB counts seconds and means every statement, MySQL milliseconds and means SELECT."""
    if "mariadb" in version.lower():
        return f"max_statement_time = {seconds:g}"
    return f"max_execution_time = {math.ceil(seconds * 1000)}"

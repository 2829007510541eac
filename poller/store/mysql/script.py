"""SQL for a database administrator to read and run: the accounts with their rights, and the schema steps still to do.

What is printed runs as it stands in the `mariadb` and `mysql` shells, once the passwords are filled in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from poller.model import ArchiveSettings
from poller.store.migrate import split
from poller.store.mysql.connection import SQL_MODE, connect
from poller.store.mysql.migrate import check_origin, pending, recorded, steps
from poller.store.sql import Migration

# role -> (what is added to the user's name, the rights, what it is for).
_ACCOUNTS: Final = (
    (
        "migrator",
        "_migrator",
        "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW",
        "makes and changes tables: for `poller db upgrade`",
    ),
    ("writer", "", "SELECT, INSERT, UPDATE, DELETE", "the poller: fills tables, cannot change them"),
    ("reader", "_reader", "SELECT, SHOW VIEW", "Grafana and people: reads"),
)


def init_script(settings: ArchiveSettings, clients: str = "%") -> str:
    """CREATE DATABASE and three accounts with their rights; `<role-password>` stands where a password must be put in.

    `clients` is the host part of the accounts: an address, or % for any. Unchanged it is not valid SQL on purpose,
    so that no account gets a password that everybody can read here.
    """
    return "\n".join(_init_lines(settings, clients)) + "\n"


def _init_lines(settings: ArchiveSettings, clients: str) -> Iterator[str]:
    secure = " REQUIRE SSL" if settings.tls != "off" and settings.socket is None else ""
    database = _name(settings.database)
    # In a GRANT _ and % of a database name are wildcards.
    pattern = _name(settings.database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))
    yield "-- For the database's administrator. Put a password, in quotes, in the place of each <...-password>."
    yield f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
    for role, suffix, rights, purpose in _ACCOUNTS:
        account = f"{_text(settings.user + suffix)}@{_text(clients)}"
        yield f"\n-- {role}: {purpose}."
        yield f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY <{role}-password>{secure};"
        yield f"GRANT {rights} ON {pattern}.* TO {account};"


def script(settings: ArchiveSettings) -> str:
    """The schema steps that the database of the settings still needs; everything when it has no tables yet.

    StoreError as for connecting, newer, edited. Needs no right but to read.
    """
    with connect(settings) as connection:
        applied = recorded(connection)
    check_origin(settings, applied, steps())
    return "\n".join(_steps(settings, pending(applied, steps()))) + "\n"


def whole_script(settings: ArchiveSettings) -> str:
    """The schema from the first step on, for a database that does not exist yet."""
    return "\n".join(_steps(settings, [(step, 0) for step in steps()])) + "\n"


def _steps(settings: ArchiveSettings, due: list[tuple[Migration, int]]) -> Iterator[str]:
    if not due:
        yield f"-- {settings}: schema {len(steps())} is up to date."
        return
    yield f"USE {_name(settings.database)};"
    yield f"SET NAMES utf8mb4; SET SESSION sql_mode = '{SQL_MODE}';"
    for step, done in due:
        statements = list(split(step.text))
        yield f"\n-- Step {step.version}: {step.name}. Every statement can be run again."
        yield "".join(statements[done:]).strip()
        yield (
            "INSERT INTO schema_migration (version, name, checksum, applied_ms, done)\n"
            f"VALUES ({step.version}, {_text(step.name)}, {_text(step.checksum)},"
            f" FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000), {len(statements)})\n"
            "ON DUPLICATE KEY UPDATE applied_ms = VALUES(applied_ms), done = VALUES(done);"
        )


def _name(text: str) -> str:
    return "`" + text.replace("`", "``") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

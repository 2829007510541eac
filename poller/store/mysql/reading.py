"""A question to the archive: one statement in a transaction that can only read, on a connection of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from poller.errors import StoreError, UsageError
from poller.model import ArchiveSettings
from poller.store.mysql.connection import connect

# Where MySQL's errors tell of the statement and not of the server: classes of SQLSTATE (ISO 9075).
_MISTAKES: Final = ("21", "22", "42")
_READ_ONLY: Final = 1792
_NO_FUNCTION: Final = 1370  # also for one that does not exist, to whoever may run none
_TOO_SLOW: Final = (1969, 3024)  # MariaDB, MySQL
_INTO: Final = re.compile(r"\binto\b(\s|/\*.*?\*/)*\b(outfile|dumpfile)\b", re.IGNORECASE | re.DOTALL)


def ask(
    settings: ArchiveSettings, text: str, values: Mapping[str, Any], limit: int | None, *, own: bool
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Column names and rows; with a limit at most one row more than it, to show that there are more.

    `own` marks SQL of the user's: what is wrong with it is a UsageError. Everything else is a StoreError.
    """
    if own and _INTO.search(text):
        raise UsageError("this statement would write a file on the server", "leave INTO out: --csv writes one here")
    with connect(settings) as connection:
        if limit is not None:
            connection.execute(f"SET SESSION sql_select_limit = {limit + 1}")
        connection.execute("START TRANSACTION READ ONLY")
        try:
            return connection.select(text, values)
        except StoreError as error:
            if getattr(error.__cause__, "errno", None) in _TOO_SLOW:
                raise _too_slow(settings) from error
            complaint = _complaint(error) if own else None
            if complaint is None:
                raise
            raise complaint from error


def _too_slow(settings: ArchiveSettings) -> StoreError:
    return StoreError(
        f"{settings}: the question took longer than {settings.timeout:g} s",
        "ask for less, as with --since and --host, or raise timeout= of <archive>",
        code="away",
    )


def _complaint(error: StoreError) -> UsageError | None:
    """The mistake of whoever wrote the statement, if it is one; rights that are missing are not."""
    cause = error.__cause__
    number = getattr(cause, "errno", None)
    if number == _READ_ONLY:
        return UsageError("this statement would write", "it may only read: begin with SELECT, WITH or EXPLAIN")
    state = str(getattr(cause, "sqlstate", None) or "")
    if (error.code == "denied" and number != _NO_FUNCTION) or not state.startswith(_MISTAKES):
        return None
    return UsageError(f"SQL: {getattr(cause, 'msg', cause)}", "docs/database.md has the tables")

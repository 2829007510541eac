"""The cookbook: questions to the database that stand in sql/queries, run with values for what each leaves open.

A query begins with a CTE `given`, one row whose columns have defaults from the view `moment`, so that it also runs
when it is pasted into a database shell. Values from the command line take the place of those defaults, bound as
parameters. SQLite and MariaDB answer the same: only functions that both have are used (see FUNCTIONS), decimal
numbers are written with an exponent (MariaDB counts 0.1 as a decimal, 1e-1 as a binary number), and what is rounded
gets 1e-6 first, because of two halves next to each other SQLite rounds both away from zero and MariaDB one.
"""

from __future__ import annotations

import functools
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from poller.errors import UsageError
from poller.model import ArchiveSettings
from poller.store.database import reading
from poller.store.sql import root

# What a cookbook query may call; a test keeps to it.
FUNCTIONS: Final = frozenset({"avg", "coalesce", "count", "max", "min", "round", "sum"})

_GIVEN: Final = re.compile(r"WITH given AS \(\s*SELECT (?P<columns>[^()]*?) FROM moment\s*\)")
_PARAMETER: Final = re.compile(r":(\w+)")
_COLUMN: Final = re.compile(r"(?P<default>.+?) AS (?P<name>\w+)", re.DOTALL)
_WRITES: Final = "it may only read: begin with SELECT, WITH or EXPLAIN"
_READS: Final = ("select", "with", "explain", "values")
_READS_THERE: Final = (*_READS, "show", "describe", "desc ")


@dataclass(frozen=True, slots=True)
class Query:
    """One page of the cookbook. `given` maps the names of what can be given to their default expressions."""

    name: str
    title: str
    explanation: str
    text: str
    given: Mapping[str, str]

    def bound(self, values: Mapping[str, Any], parameter: str = ":{}") -> str:
        """The text with a parameter, spelled as the database wants it, in place of each default that has a value.

        UsageError when this query has no such thing.
        """
        for name in values:
            if name not in self.given:
                raise UsageError(
                    f"the query {self.name} has nothing like {_OPTIONS.get(name, name)} to give",
                    f"it takes: {', '.join(_OPTIONS.get(known, known) for known in self.given) or 'nothing'}",
                )
        columns = ", ".join(
            f"{parameter.format(name) if name in values else default} AS {name}" for name, default in self.given.items()
        )
        given = f"WITH given AS (SELECT {columns} FROM moment)"  # noqa: S608 - names and defaults are of our own file
        return _GIVEN.sub(lambda _: given, self.text, count=1)


_OPTIONS: Final = {"since_ms": "--since", "until_ms": "--until", "host_like": "--host", "text_like": "--text"}


@dataclass(frozen=True, slots=True)
class Result:
    """Columns and rows as the database gives them. `more` is True when a limit cut the rest off."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool = False


@functools.cache
def cookbook() -> dict[str, Query]:
    """Every query by name, in alphabetical order."""
    return {query.name: query for query in sorted(_pages(), key=lambda query: query.name)}


def _pages() -> Iterator[Query]:
    for file in (root() / "queries").iterdir():
        if file.name.endswith(".sql"):
            yield parse(file.name.removesuffix(".sql"), file.read_text("utf-8"))


def parse(name: str, text: str) -> Query:
    """Reads a query: the first comment line is its title, the others explain it; then comes the CTE `given`."""
    head = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    given = _GIVEN.search(text)
    if not head or given is None:
        raise ValueError(f"query {name} needs a title and a CTE `given` from `moment`")
    columns = (_COLUMN.fullmatch(column.strip()) for column in given["columns"].split(","))
    return Query(
        name=name,
        title=head[0],
        explanation=" ".join(head[1:]).strip(),
        text=text,
        given={match["name"]: match["default"] for match in columns if match},
    )


def find(name: str) -> Query:
    """UsageError, with the name that was probably meant, when there is no such query."""
    import difflib

    query = cookbook().get(name)
    if query is None:
        meant = difflib.get_close_matches(name, cookbook(), n=1)
        raise UsageError(
            f"there is no query {name!r}", f"did you mean {meant[0]}?" if meant else "`poller query` lists them"
        )
    return query


def like(glob: str) -> str:
    """The LIKE pattern of a glob with * and ?. UsageError for what LIKE has no words for."""
    if any(sign in glob for sign in "[]%_\\"):
        raise UsageError(f"--host {glob!r}: only * and ? can be used here", "use `poller query --sql` for more")
    return glob.replace("*", "%").replace("?", "_")


def containing(text: str) -> str:
    """The LIKE pattern of what holds `text`, for `LIKE given.text_like ESCAPE '!'`: no sign of it is a wildcard."""
    return f"%{quoted(text)}%"


def quoted(text: str) -> str:
    """Text in a pattern of `LIKE … ESCAPE '!'`: none of its signs is a wildcard there."""
    return "".join(f"!{sign}" if sign in "!%_" else sign for sign in text)


def ask(source: Path | ArchiveSettings, query: Query, values: Mapping[str, Any], limit: int | None = None) -> Result:
    """Runs a query of the cookbook with `values` for its `given` columns. Raises StoreError, UsageError."""
    path = _file(source)
    if path is not None:
        return _run(path, query.bound(values), values, limit, strict=True)
    return _run_there(source, query.bound(values, "%({})s"), values, limit)


def ask_sql(source: Path | ArchiveSettings, text: str, limit: int | None = None) -> Result:
    """Runs any one statement that only reads; UsageError says what is wrong with the SQL."""
    words = re.sub(r"^(\s|--[^\n]*\n)*", "", text).lower()
    path = _file(source)
    if not words.startswith(_READS if path is not None else _READS_THERE):
        raise UsageError(f"this is not a question: {text.strip()[:60]!r}", _WRITES)
    if path is not None:
        return _run(path, text, {}, limit)
    return _run_there(source, text, {}, limit, own=True)


def answer(source: Path | ArchiveSettings, text: str, values: Mapping[str, Any]) -> Result:
    """Runs a statement of our own, with `:name` for each parameter, on either database."""
    path = _file(source)
    if path is not None:
        return _run(path, text, values, None, strict=True)
    return _run_there(source, _PARAMETER.sub(r"%(\1)s", text), values, None)


def _file(source: Path | ArchiveSettings) -> Path | None:
    """The SQLite file to ask; None for a server."""
    return source.path if isinstance(source, ArchiveSettings) else source


def _run_there(
    source: Path | ArchiveSettings, text: str, values: Mapping[str, Any], limit: int | None, *, own: bool = False
) -> Result:
    from poller.store.mysql import reading as there

    assert isinstance(source, ArchiveSettings)  # noqa: S101 - a Path is a file
    columns, rows = there.ask(source, text, values, limit, own=own)
    return Result(columns, tuple(rows[:limit]), limit is not None and len(rows) > limit)


def _run(path: Path, text: str, values: Mapping[str, Any], limit: int | None, *, strict: bool = False) -> Result:
    """Rows are fetched at once and the connection closed: a reader that lingers makes the log grow.

    `strict` is for texts of ours: LIKE tells capital letters from small ones, as it does in the archive's tables in
    MariaDB, and a table that is not there is no mistake of the user's, but a file of another version or program.
    """
    with reading(path) as connection:
        if strict:
            connection.execute("PRAGMA case_sensitive_like = ON")
        try:
            cursor = connection.execute(text, values)
        except (sqlite3.OperationalError, sqlite3.Warning, sqlite3.ProgrammingError) as error:
            if strict and "no such" in str(error):
                raise
            raise _complaint(error) from error
        rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
        columns = tuple(column[0] for column in cursor.description or ())
        cursor.close()
    more = limit is not None and len(rows) > limit
    return Result(columns, tuple(rows[:limit]), more)


def _complaint(error: Exception) -> Exception:
    """Mistakes in the SQL are the user's; what is wrong with the file is not."""
    text = str(error)
    if "readonly database" in text:
        return UsageError("this statement would write", _WRITES)
    mistakes = ("syntax error", "no such", "incomplete input", "ambiguous", "one statement", "misuse", "unrecognized",
                "wrong number", "did not supply", "Binding")  # fmt: skip
    return UsageError(f"SQL: {text}", "docs/database.md has the tables") if any(m in text for m in mistakes) else error

"""Where the SQL comes from: the package `poller.sql`, or the folder `sql` of a checkout that was not installed."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.abc import Traversable

_MIGRATION: Final = re.compile(r"V(\d{4})__(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. `version` counts from 1 without gaps; the checksum is SHA-256 of the file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def root() -> Traversable:
    """The folder with `sqlite`, `mysql`, `statements` and `queries`."""
    try:
        return importlib.resources.files("poller.sql")
    except ModuleNotFoundError:
        return Path(__file__).parents[2] / "sql"


@functools.cache
def migrations(dialect: str = "sqlite") -> tuple[Migration, ...]:
    """Every migration this poller knows for `sqlite` or `mysql`, in order."""
    return tuple(sorted(_migrations(dialect), key=lambda migration: migration.version))


def _migrations(dialect: str) -> Iterator[Migration]:
    for file in (root() / dialect).iterdir():
        match = _MIGRATION.fullmatch(file.name)
        if match:
            yield Migration(int(match[1]), match[2], file.read_text("utf-8"))


@functools.cache
def statements() -> dict[str, str]:
    """The named statements of sql/statements: name -> SQL with :named parameters, checked and read by aiosql."""
    import aiosql

    text = "\n".join(
        file.read_text("utf-8")
        for file in sorted((root() / "statements").iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    )
    queries = aiosql.from_str(text, "sqlite3", attribute=None)
    known = set(queries.available_queries)
    # aiosql adds a second form of some, under the same name with _cursor behind it.
    second = {name for name in known if name.endswith("_cursor") and name.removesuffix("_cursor") in known}
    return {name: getattr(queries, name).sql for name in sorted(known - second)}

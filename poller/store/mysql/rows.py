"""Many rows as one INSERT. Numbers are written here, texts are quoted by the driver.

The driver's own executemany finds the VALUES part with a regular expression, loses parameters behind it and can take
a statement apart wrongly (mysql/mysql-connector-python issue 106). It also spends most of its time on numbers, which
need no quoting. Here nothing is searched for: the head, the rows and the tail are put one behind the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from poller.errors import StoreError


def literal(cell: Any, quoted: Callable[[str], bytes]) -> bytes:
    """One value as SQL. StoreError (code `data`) for what no column can hold."""
    kind = type(cell)
    if cell is None:
        return b"NULL"
    if kind is float:
        return _number(cell)
    if isinstance(cell, int):  # also a boolean, or an enumeration of ours
        return bytes(str(int(cell)), "ascii")
    if isinstance(cell, str):
        return _text(cell if kind is str else str.__str__(cell), quoted)
    if kind is bytes:
        return bytes(f"x'{cell.hex()}'", "ascii")
    raise StoreError(f"a value of type {kind.__name__} cannot be stored", "report it", code="data")


def _number(cell: float) -> bytes:
    """With an exponent, so that it is read as a binary number at once and never as a decimal one."""
    if not math.isfinite(cell):
        raise StoreError(f"the number {cell} cannot be stored", "the row stays in the journal", code="data")
    text = repr(cell)
    return (text if "e" in text else text + "e0").encode()


def _text(cell: str, quoted: Callable[[str], bytes]) -> bytes:
    try:
        return quoted(cell)
    except UnicodeEncodeError as error:
        raise StoreError("a text is not valid Unicode", "the row stays in the journal", code="data") from error


def statements(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], tail: str, most_bytes: int,
    quoted: Callable[[str], bytes],
) -> Iterator[bytes]:  # fmt: skip
    """INSERT statements for all rows, in order, each at most about `most_bytes` long (a longer row stands alone)."""
    names = ", ".join(f"`{column}`" for column in columns)
    head = f"INSERT INTO `{table}` ({names}) VALUES ".encode()  # noqa: S608 - names of our own schema
    end = b" " + tail.encode() if tail else b""
    batch: list[bytes] = []
    size = len(head) + len(end)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{table}: a row of {len(row)} values for {len(columns)} columns")
        text = b"(" + b",".join([literal(cell, quoted) for cell in row]) + b")"
        if batch and size + len(text) + 1 > most_bytes:
            yield head + b",".join(batch) + end
            batch, size = [], len(head) + len(end)
        batch.append(text)
        size += len(text) + 1
    if batch:
        yield head + b",".join(batch) + end

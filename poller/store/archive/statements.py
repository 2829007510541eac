"""SQL for any table of the registry, with `?` for each value. Pure: names are of our schema, values stay outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poller.model.contracts import Condition, Question
from poller.store.archive.tables import TABLES, columns

Statement = tuple[str, list[Any]]


def select(question: Question) -> Statement:
    """A SELECT in the SQL that SQLite and MariaDB share."""
    where, values = _where(question.conditions)
    if question.after is not None:
        text, more = _beyond(question.order, question.after)
        where.append(text)
        values += more
    text = f"SELECT {', '.join(question.columns)} FROM {question.table}"  # noqa: S608 - names of our schema
    text += _clause(where)
    if question.order:
        text += f" ORDER BY {', '.join(question.order)}"
    if question.limit is not None:
        text += f" LIMIT {question.limit:d}"
    return text, values


def condition(conditions: Sequence[Condition]) -> Statement:
    """` WHERE ...`, or nothing."""
    where, values = _where(conditions)
    return _clause(where), values


def deletion(table: str, conditions: Sequence[Condition], limit: int) -> Statement:
    """SQLite's DELETE of at most so many rows, by their key: it is mostly built without DELETE ... LIMIT."""
    key = ("id",) if "id" in columns(table) else TABLES[table].key
    where, values = condition(conditions)
    names = ", ".join(key)
    some = f"SELECT {names} FROM {table}{where} LIMIT {limit:d}"  # noqa: S608 - names of our schema
    return f"DELETE FROM {table} WHERE ({names}) IN ({some})", values  # noqa: S608 - names of our schema


def _clause(where: list[str]) -> str:
    return f" WHERE {' AND '.join(where)}" if where else ""


def _where(conditions: Sequence[Condition]) -> tuple[list[str], list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for one in conditions:
        if one.sign == "is":
            parts.append(f"{one.column} IS NULL")
        elif one.sign == "in":
            parts.append(f"{one.column} IN ({', '.join('?' * len(one.value))})")
            values += one.value
        else:
            parts.append(f"{one.column} {one.sign} ?")
            values.append(one.value)
    return parts, values


def _beyond(order: Sequence[str], after: Sequence[Any]) -> Statement:
    """`(a, b) > (?, ?)` in words that let both databases use an index on (a, b): row values do not, on MySQL."""
    if len(order) == 1:
        return f"{order[0]} > ?", [after[0]]
    inner, values = _beyond(order[1:], after[1:])
    return f"{order[0]} >= ? AND ({order[0]} > ? OR ({inner}))", [after[0], after[0], *values]


def on_conflict(table: str, columns: Sequence[str], *, current: bool) -> str:
    """SQLite's answer to a row that is there already."""
    known = TABLES[table]
    target = "id" if "id" in columns else ", ".join(known.key)
    if known.newest is None:
        return f" ON CONFLICT ({target}) DO NOTHING"
    changes = _changes(table, columns, f"{table}.{{}}", "excluded.{}", current=current)
    return f" ON CONFLICT ({target}) DO UPDATE SET {changes}"


def on_duplicate(table: str, columns: Sequence[str], *, current: bool) -> str:
    """MySQL's. Not INSERT IGNORE, which would also ignore a value that does not fit.

    Assignments are made from left to right, and later ones see earlier ones: the column that decides goes last.
    """
    known = TABLES[table]
    if known.newest is None:
        return f"ON DUPLICATE KEY UPDATE {known.key[0]} = {table}.{known.key[0]}"
    # Another row that is alike in a second unique key is an error, as on SQLite, and not a row to be written over.
    guard = f"id = CASE WHEN {table}.id = VALUES(id) THEN {table}.id END, " if "id" in columns else ""
    return f"ON DUPLICATE KEY UPDATE {guard}{_changes(table, columns, f'{table}.{{}}', 'VALUES({})', current=current)}"


def _changes(table: str, columns: Sequence[str], there: str, came: str, *, current: bool) -> str:
    known = TABLES[table]
    newest = "" if current else known.newest
    fixed = {*known.key, "id", newest, known.earliest}
    changing = [name for name in columns if name not in fixed]
    if newest:
        changing.append(newest)
    parts = [f"{name} = {_newer(newest, name, there, came)}" for name in changing]
    if known.earliest in columns:
        old, new = there.format(known.earliest), came.format(known.earliest)
        parts.insert(0, f"{known.earliest} = CASE WHEN {new} < {old} THEN {new} ELSE {old} END")
    return ", ".join(parts)


def _newer(newest: str | None, name: str, there: str, came: str) -> str:
    if not newest:
        return came.format(name)
    old, new = f"COALESCE({there.format(newest)}, 0)", f"COALESCE({came.format(newest)}, 0)"
    return f"CASE WHEN {new} >= {old} THEN {came.format(name)} ELSE {there.format(name)} END"

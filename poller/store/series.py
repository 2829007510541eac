"""The numbers of one host over time, from the sample tables and from its polls, by metric and labels."""

from __future__ import annotations

import functools
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from poller.metrics import CATALOGUE, SAMPLE_TABLES
from poller.model import MetricValue
from poller.store.kinds import PATIENCE_MS
from poller.store.sql import statements

Labels = tuple[tuple[str, str], ...]
Points = list[tuple[int, float]]

# Of one metric, all its labels together: the newest ones.
POINTS: Final = 20_000
_SERIES: Final = "series_sample"


class Attempt:
    """A poll as its row tells. `reported`: it brought a report."""

    __slots__ = ("_down", "_seconds", "_security", "at_ms", "reported")

    def __init__(self, row: Sequence[Any]) -> None:
        self.at_ms: int = row[0]
        outcome, stage, code, security, seconds, reported = row[1:7]
        self.reported = bool(reported)
        # As intake has it: one that did not take place says nothing, unless the host refuses our logins.
        refused = (stage, code) == ("auth", "backoff")
        self._down = float(refused or outcome == "failed") if outcome != "skipped" or refused else None
        self._security = 1.0 if security else 0.0 if reported else None
        self._seconds = float(seconds)

    def value(self, metric: str) -> float | None:
        """None when this poll says nothing about it."""
        return {"poll.seconds": self._seconds, "host.down": self._down, "host.security": self._security}[metric]


OF_POLLS: Final = ("poll.seconds", "host.down", "host.security")


def attempts(connection: sqlite3.Connection, host_id: int, since_ms: int, until_ms: int) -> list[Attempt]:
    """Polls from `since_ms` to before `until_ms`, oldest first; at most the 20,000 newest."""
    values = {"host_id": host_id, "since_ms": since_ms, "until_ms": until_ms, "at_most": POINTS}
    rows = connection.execute(statements()["polls_between"], values).fetchall()
    return [Attempt(row) for row in reversed(rows)]


def answered(connection: sqlite3.Connection, host_id: int, since_ms: int, until_ms: int) -> tuple[int, ...]:
    """Instants of those polls that brought a report, or a ping that was answered."""
    values = {"host_id": host_id, "since_ms": since_ms, "until_ms": until_ms, "at_most": POINTS}
    rows = connection.execute(statements()["answered_between"], values).fetchall()
    return tuple(at_ms for (at_ms,) in reversed(rows))


def series(
    connection: sqlite3.Connection, host_id: int, since_ms: Mapping[str, int], until_ms: int
) -> dict[tuple[str, Labels], Points]:
    """Of each metric in `since_ms` what there is from then on, before `until_ms`, oldest first; NULL left out."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for metric in since_ms:
        if metric in CATALOGUE and CATALOGUE[metric].table:
            by_table[CATALOGUE[metric].table].append(metric)
    found: dict[tuple[str, Labels], Points] = {}
    for table, metrics in by_table.items():
        first = min(since_ms[metric] for metric in metrics)
        things = list(_things(connection, table, host_id, metrics, first))
        for owner, labels, theirs in things:
            statement = _samples(table, tuple(CATALOGUE[metric].column for metric in theirs))
            at_most = max(1, POINTS // len(things))
            rows = connection.execute(statement, (owner, first, until_ms, at_most)).fetchall()
            rows.reverse()
            for place, metric in enumerate(theirs, 1):
                points = _points(rows, place, since_ms[metric])
                if points:
                    found[metric, labels] = points
    return found


def _points(rows: Iterable[Sequence[Any]], place: int, since_ms: int) -> Points:
    return [(row[0], float(row[place])) for row in rows if row[place] is not None and row[0] >= since_ms]


def _things(
    connection: sqlite3.Connection, table: str, host_id: int, metrics: Sequence[str], since_ms: int
) -> Iterator[tuple[int, Labels, Sequence[str]]]:
    """What samples belong to: its id, its labels, and which of the metrics it has."""
    label, inventory, key = SAMPLE_TABLES[table]
    if inventory == "host":
        yield host_id, (), metrics
    elif table == _SERIES:
        text = "SELECT id, metric, label FROM series WHERE host_id = ? AND metric = ? AND last_seen_ms >= ?"
        for metric in metrics:
            for number, _, value in connection.execute(text, (host_id, metric, since_ms - PATIENCE_MS)).fetchall():
                yield number, _labels(CATALOGUE[metric].label, value), (metric,)
    else:
        text = f"SELECT id, {key} FROM {inventory} WHERE host_id = ? AND last_seen_ms >= ?"  # noqa: S608 - names of ours
        for number, value in connection.execute(text, (host_id, since_ms)).fetchall():
            yield number, _labels(label, value), metrics


def _labels(name: str, value: str) -> Labels:
    return ((name, value),) if name else ()


@functools.lru_cache(maxsize=256)
def _samples(table: str, columns: tuple[str, ...]) -> str:
    owner = f"{SAMPLE_TABLES[table][1]}_id"
    return (
        f"SELECT at_ms, {', '.join(columns)} FROM {table}"  # noqa: S608 - names of ours
        f" WHERE {owner} = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms DESC LIMIT ?"
    )


def values_at(connection: sqlite3.Connection, host_id: int, at_ms: int) -> Iterator[MetricValue]:
    """Every number that a poll of that instant left in the sample tables."""
    for table, (label, inventory, _) in SAMPLE_TABLES.items():
        metrics = [metric for metric in CATALOGUE.values() if metric.table == table]
        for name, value, *row in connection.execute(_everything(table), (host_id, at_ms)).fetchall():
            if table == _SERIES:
                yield MetricValue(name, float(row[0]), _labels(CATALOGUE[name].label, value))
                continue
            labels = _labels(label, value) if inventory != "host" else ()
            for metric, number in zip(metrics, row, strict=True):
                if number is not None:
                    yield MetricValue(metric.name, float(number), labels)


@functools.cache
def _everything(table: str) -> str:
    """By the primary key of each thing."""
    _, inventory, key = SAMPLE_TABLES[table]
    columns = dict.fromkeys(metric.column for metric in CATALOGUE.values() if metric.table == table)
    wanted = ", ".join(f"{table}.{column}" for column in columns)
    owner = "id" if inventory == "host" else "host_id"
    name = "series.metric, series.label" if table == _SERIES else f"'', {inventory}.{key}"
    return (
        f"SELECT {name}, {wanted} FROM {inventory}"  # noqa: S608 - names of ours
        f" CROSS JOIN {table} ON {table}.{inventory}_id = {inventory}.id AND at_ms = ?2 WHERE {inventory}.{owner} = ?1"
    )

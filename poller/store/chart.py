"""How a number went: the history of one metric of one host, from the journal or the archive.

Raw samples for a short time, roll-ups of five minutes or of an hour for a long one, so that there is never more to
read than a chart can show. What is older than raw samples are kept comes from roll-ups all the same, and what is
younger than the newest roll-up raw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal

from poller.errors import UsageError
from poller.metrics import CATALOGUE, SAMPLE_TABLES, Metric
from poller.store.paging import Source
from poller.store.query import answer
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED, floor

Resolution = Literal["raw", "5m", "1h"]
RESOLUTIONS: Final[tuple[Resolution, ...]] = ("raw", "5m", "1h")
_LENGTH_MS: Final[dict[Resolution, int]] = {"raw": 1, "5m": FIVE_MS, "1h": HOUR_MS}
# Up to so long a time is shown by every sample, by five minutes, else by hours: some 3,000 or 4,000 points.
_RAW_MS: Final = 2 * 86_400_000
_FIVES_MS: Final = 14 * 86_400_000


@dataclass(frozen=True, slots=True)
class Course:
    """The values of one label ("" without one) by time: pairs of an instant in milliseconds and a number.

    A point of a roll-up stands at the begin of its window, with the mean. `least`, `mean` and `greatest` are those of
    all samples that are behind the points; `coarsest` is the longest window among them. The mean is over time, at every
    resolution the same: a sample holds until the next one, at most to the end of its five minutes, as in the roll-ups.
    That of what a poll itself says is over polls.
    """

    label: str
    points: tuple[tuple[int, float], ...]
    least: float
    mean: float
    greatest: float
    coarsest: Resolution = "raw"

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


# What a poll itself says is no sample; its history is that of the polls, as `series.Attempt` has it: a host that
# refuses our logins is down though it is not asked, and what brings no report does not say that nobody meddles.
_REFUSED: Final = "stage = 'auth' AND code = 'backoff'"
_OF_POLLS: Final = {
    "poll.seconds": ("seconds", ""),
    "host.down": (
        f"CASE WHEN outcome = 'failed' OR ({_REFUSED}) THEN 1 ELSE 0 END",
        f" AND (outcome <> 'skipped' OR ({_REFUSED}))",
    ),
    "host.security": (
        "CASE WHEN security <> 0 THEN 1 ELSE 0 END",
        " AND (security <> 0 OR host_clock_ms IS NOT NULL)",
    ),
}
_HOST: Final = "(SELECT id FROM host WHERE name = :host)"
_TABLES: Final = {table.raw: table for table in ROLLED}


def has_history(metric: Metric) -> bool:
    """Whether the database keeps its values; those of the poller itself are only judged."""
    return bool(metric.column) or metric.name in _OF_POLLS


def fitting(since_ms: int, until_ms: int) -> Resolution:
    """The resolution for a time of this length."""
    span = until_ms - since_ms
    return "raw" if span <= _RAW_MS else "5m" if span <= _FIVES_MS else "1h"


def history(
    source: Source, host: str, name: str, since_ms: int, until_ms: int, resolution: Resolution | None = None
) -> tuple[Course, ...]:
    """Every label's values between two instants, in the order of the labels. UsageError without history.

    `resolution` None: as it fits the time. What is not there in it comes in another.
    """
    metric = CATALOGUE[name]
    if not has_history(metric):
        raise UsageError(
            f"{name} has no history: it is judged at each round and not kept",
            "`poller query alert-history` shows when it was over its limits",
        )
    values: dict[str, Any] = {"host": host, "since_ms": since_ms, "until_ms": until_ms}
    if metric.table in _TABLES:
        wanted = resolution or fitting(since_ms, until_ms)
        parts = tuple(_parts(source, host, wanted, since_ms, until_ms))
        text = " UNION ALL ".join(_rolled_text(metric, *part) for part in parts)
        values = {"host": host}
    else:
        text = _raw_text(metric)
    rows = answer(source, f"{text} ORDER BY 1, 2", values | ({"metric": name} if _generic(metric) else {})).rows
    return tuple(_course(str(label), list(group)) for label, group in groupby(rows, key=lambda row: row[0]))


def _course(label: str, rows: Sequence[tuple[Any, ...]]) -> Course:
    """Of rows (label, instant, value, least, greatest, weight, resolution); weight None: as long as a sample holds."""
    weights = [row[5] or _held_seconds(row[1], later) for row, later in zip(rows, _next_instants(rows), strict=True)]
    return Course(
        label,
        tuple((row[1], float(row[2])) for row in rows),
        float(min(row[3] for row in rows)),
        sum(float(row[2]) * weight for row, weight in zip(rows, weights, strict=True)) / sum(weights),
        float(max(row[4] for row in rows)),
        max((row[6] for row in rows), key=RESOLUTIONS.index),
    )


def _next_instants(rows: Sequence[tuple[Any, ...]]) -> Iterator[int | None]:
    yield from (row[1] for row in rows[1:])
    yield None


def _held_seconds(at_ms: int, next_ms: int | None) -> float:
    end_ms = floor(at_ms, FIVE_MS) + FIVE_MS
    return (end_ms - at_ms if next_ms is None else min(end_ms, next_ms) - at_ms) / 1000


Part = tuple[Resolution, int, int]


def _parts(source: Source, host: str, wanted: Resolution, since_ms: int, until_ms: int) -> Iterator[Part]:
    """(resolution, begin, end) one behind the other, without a hole: the end belongs to the next."""
    text = (
        "SELECT resolution, from_ms FROM history_bound"  # noqa: S608 - names of ours
        f" UNION ALL SELECT 'fives', fives_ms FROM rolled_up WHERE host_id = {_HOST}"
        f" UNION ALL SELECT 'hours', hours_ms FROM rolled_up WHERE host_id = {_HOST}"
    )
    known = dict(answer(source, text, {"host": host}).rows)
    ends = {
        "1h": max(known["5m"], known.get("hours", 0) if wanted == "1h" else 0),
        "5m": max(known["raw"], known.get("fives", 0) if wanted != "raw" else 0),
        "raw": until_ms + 1,
    }
    begin = since_ms
    for resolution in reversed(RESOLUTIONS):
        end = min(ends[resolution], until_ms + 1)
        if begin < end:
            # A window that began before the time still says something of it.
            yield resolution, floor(begin, _LENGTH_MS[resolution]), end
            begin = end
    if begin == since_ms:
        yield "raw", since_ms, until_ms


def _rolled_text(metric: Metric, resolution: Resolution, from_ms: int, end_ms: int) -> str:
    table, column = _TABLES[metric.table], metric.column
    name = table.raw if resolution == "raw" else f"{table.name}_{resolution}"
    columns = (
        f"{column}, {column}, {column}, NULL"
        if resolution == "raw"
        else f"{column}_avg, {column}_min, {column}_max, seconds"
    )
    value = column if resolution == "raw" else f"{column}_avg"
    when = f"{name}.at_ms >= {from_ms:d} AND {name}.at_ms < {end_ms:d} AND {value} IS NOT NULL"
    return f"SELECT {_label(metric)}, {name}.at_ms, {columns}, '{resolution}' FROM {_from(metric, name)} AND {when}"  # noqa: S608


def _raw_text(metric: Metric) -> str:
    when = "at_ms BETWEEN :since_ms AND :until_ms"
    if not metric.column:
        value, more = _OF_POLLS[metric.name]
        columns = f"'', at_ms, {value}, {value}, {value}, 1, 'raw'"
        return f"SELECT {columns} FROM poll WHERE host_id = {_HOST} AND {when}{more}"  # noqa: S608 - names of ours
    column = f"{metric.table}.{metric.column}"
    return (
        f"SELECT {_label(metric)}, {metric.table}.at_ms, {column}, {column}, {column}, NULL, 'raw'"  # noqa: S608
        f" FROM {_from(metric, metric.table)} AND {metric.table}.{when} AND {column} IS NOT NULL"
    )


def _label(metric: Metric) -> str:
    _, inventory, key = SAMPLE_TABLES[metric.table]
    return "''" if inventory == "host" else f"{inventory}.{'label' if _generic(metric) else key}"


def _from(metric: Metric, table: str) -> str:
    """From where, and whose: the host first, then its things, then their rows by the primary key."""
    inventory = SAMPLE_TABLES[metric.table][1]
    if inventory == "host":
        return f"{table} WHERE {table}.host_id = {_HOST}"
    own = " AND series.metric = :metric" if _generic(metric) else ""
    return (
        f"{inventory} CROSS JOIN {table} WHERE {inventory}.host_id = {_HOST}{own}"
        f" AND {table}.{inventory}_id = {inventory}.id"
    )


def _generic(metric: Metric) -> bool:
    """Whether its inventory holds series of many metrics."""
    return bool(metric.table) and SAMPLE_TABLES[metric.table][1] == "series"


def labels(source: Source, host: str, name: str) -> tuple[str, ...]:
    """Every label that the metric ever had on that host."""
    metric = CATALOGUE[name]
    if not metric.label:
        return ()
    _, inventory, key = SAMPLE_TABLES[metric.table]
    generic = _generic(metric)
    key = "label" if generic else key
    text = f"SELECT {key} FROM {inventory} WHERE host_id = {_HOST}"  # noqa: S608 - names of ours
    values = {"host": host} | ({"metric": name} if generic else {})
    found = answer(source, text + (" AND metric = :metric" if generic else ""), values).rows
    return tuple(sorted(str(row[0]) for row in found))

"""History in an archive cut to the length of `<retention>`, once an hour, in slices that block nobody for long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing

from poller.errors import PollerError
from poller.model import ArchiveSettings, Retention
from poller.model.contracts import Archive, Condition, Question
from poller.store.aging import DAY_MS
from poller.store.archive.places import open_archive
from poller.store.archive.rolling import closed_ms
from poller.store.archive.tables import (
    ALERT,
    EVENT,
    INVENTORIES,
    MESSAGE,
    PEER_DAY,
    POLL,
    ROLLUPS,
    ROUND,
    SAMPLES,
    SILENCE,
    Table,
)
from poller.store.prune import LEAP_MS, limits_ms
from poller.store.rollup import roll_up
from poller.store.rollup_bound import move_bounds
from poller.store.slicing import give_way

_log = logging.getLogger(__name__)

_EVERY_MS = 3_600_000
_THINGS_AT_ONCE = 200
_ROWS_AT_ONCE = 5000


def trim(
    settings: ArchiveSettings,
    retention: Retention,
    stop: threading.Event,
    now_ms: int,
    waiting_ms: int | None = None,
) -> int:
    """Deletes what is older than it may be, unless that was done within the hour; returns the number of rows.

    `waiting_ms`: the oldest poll that is still to be shipped; samples since then stay until it is there.
    Ends early when `stop` is set; goes on the next time. Trouble of the archive is logged: `ship` records it.
    """
    try:
        with closing(open_archive(settings, now_ms)) as archive:
            return trim_archive(archive, retention, stop, now_ms, waiting_ms) if _due(archive, now_ms) else 0
    except PollerError as error:
        _log.warning("the archive is not pruned (%s): %s", error.code, error)
        return 0


def _due(archive: Archive, now_ms: int) -> bool:
    """As with the journal, a clock that is far ahead has to be so twice, an hour apart, before history goes for it."""
    done = archive.find(Question("housekeeping", ("done_ms",), (Condition("task", "=", "prune"),)))
    if done and now_ms - done[0][0] > LEAP_MS:
        _note(archive, now_ms)
        return False
    return not done or abs(now_ms - done[0][0]) >= _EVERY_MS


def _note(archive: Archive, now_ms: int) -> None:
    with archive.transaction():
        archive.put("housekeeping", ("task", "done_ms"), [("prune", now_ms)], current=True)


def trim_archive(
    archive: Archive, retention: Retention, stop: threading.Event, now_ms: int, waiting_ms: int | None = None
) -> int:
    """The same on an open one, at once. Raises StoreError."""
    roll_up(archive, closed_ms(retention, now_ms, waiting_ms), now_ms, stop)
    limits = limits_ms(retention, now_ms) | move_bounds(archive, retention, now_ms)[0].limits()
    count = 0
    for table, conditions in _slices(archive):
        if stop.is_set():
            return count
        old = Condition(table.time, "<", limits[table.name] - (DAY_MS if table is PEER_DAY else 0))
        count += _remove(archive, table.name, (*conditions, old), stop)
    _note(archive, now_ms)
    archive.tidy()
    return count


def _slices(archive: Archive) -> Iterator[tuple[Table, tuple[Condition, ...]]]:
    """By the things that rows belong to, where an index leads to the old ones; the rest by its time alone."""
    for table in (*SAMPLES.values(), PEER_DAY, *ROLLUPS.values(), POLL, *INVENTORIES.values()):
        column, parent = table.parent or ("", "")
        after: tuple[int, ...] | None = None
        while True:
            question = Question(parent, ("id",), (), ("id",), after, _THINGS_AT_ONCE)
            ids = tuple(number for (number,) in archive.find(question))
            if not ids:
                break
            yield table, (Condition(column, "in", ids),)
            after = ids[-1:]
    for table in (ROUND, EVENT, ALERT, SILENCE, MESSAGE):
        yield table, ()


def _remove(archive: Archive, table: str, conditions: tuple[Condition, ...], stop: threading.Event) -> int:
    count = 0
    while not stop.is_set():
        start = time.monotonic()
        with archive.transaction():
            removed = archive.remove(table, conditions, _ROWS_AT_ONCE)
        count += removed
        if removed:
            give_way(stop, start)
        if removed < _ROWS_AT_ONCE:
            break
    return count

"""Journal -> archive, in the order of commits. Killed anywhere, nothing is lost and nothing is there twice.

A batch is written in one transaction of the archive, then forgotten in one of the journal. Whoever dies between the
two sends it again, which changes nothing. Mail, judging and polling never wait for any of this.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from poller.errors import PollerError, StoreError
from poller.model import ArchiveSettings, Deadline
from poller.model.contracts import Crossing
from poller.store.archive.bound import drop_oldest
from poller.store.archive.gather import gather
from poller.store.archive.places import open_archive
from poller.store.archive.rows import Target
from poller.store.journal import Journal
from poller.store.lock import SHIPPING, LockFile
from poller.store.queue import Item, Queue

_log = logging.getLogger(__name__)

POLLS_AT_ONCE: Final = 300
# To attach a journal costs as much as to carry the samples of some twenty polls: its whole schema is read.
POLLS_TO_ATTACH: Final = 40
ITEMS_AT_ONCE: Final = 3000
LINES_AT_ONCE: Final = 20_000
# A deadlock or a lock that others hold: the whole transaction again, waiting longer and longer, for so long in all.
_BUSY_SECONDS: Final = 5.0
_FIRST_WAIT_SECONDS: Final = 0.05
# What says that the archive cannot be used now. `data` is about one row, `store` may be either.
_HOLDING: Final = frozenset({"away", "denied", "absent", "older", "newer", "edited", "busy"})


@dataclass(frozen=True, slots=True)
class Shipped:
    """What one call did. `polls` and `rows` arrived, `rejected` never will, `waiting` polls are still to come.

    `dropped`: polls whose samples were given up for want of room. `away`: why not all of it arrived.
    """

    polls: int = 0
    rows: int = 0
    rejected: int = 0
    waiting: int = 0
    dropped: int = 0
    away: StoreError | None = None

    def __add__(self, later: Shipped) -> Shipped:
        """Both together; what waits, and why, is as the later one left it."""
        return replace(
            later,
            polls=self.polls + later.polls,
            rows=self.rows + later.rows,
            rejected=self.rejected + later.rejected,
            dropped=self.dropped + later.dropped,
        )


def ship(
    journal: Journal, settings: ArchiveSettings, bound: int, stop: threading.Event, now_ms: Callable[[], int]
) -> Shipped:
    """Sends what waits, until nothing does, `stop` is set or the archive does not take it.

    `bound`: bytes the journal may take while the archive is behind. Sends nothing while another process ships.
    Trouble of the archive is recorded and returned; StoreError is about the journal only.
    """
    queue = journal.queue()
    shipped = Shipped()
    with LockFile(journal.path) as lock:
        if lock.take(SHIPPING):
            shipped = _send(queue, journal.path, settings, stop, now_ms)
            if shipped.away is not None:
                _log.info("the archive is away (%s): %s", shipped.away.code, shipped.away)
                queue.away(shipped.away, now_ms())
    dropped = drop_oldest(journal, bound, now_ms())  # also when another process ships, but too slowly
    return replace(shipped, dropped=dropped, waiting=queue.waiting())


def _send(
    queue: Queue, path: Path, settings: ArchiveSettings, stop: threading.Event, now_ms: Callable[[], int]
) -> Shipped:
    """Everything there is, batch by batch."""
    shipped = Shipped()
    try:
        archive = open_archive(settings, now_ms())
    except StoreError as error:
        return replace(shipped, away=error)
    except PollerError as error:  # its password cannot be read
        return replace(shipped, away=StoreError(error.sentence, error.hint, code="denied"))
    with closing(archive):
        shipment = Shipment(queue, path, Target(archive), stop)
        items = queue.next(POLLS_AT_ONCE, ITEMS_AT_ONCE, LINES_AT_ONCE)
        while not stop.is_set():
            batch = shipment.send(items)
            queue.done(items[: batch.arrived], batch.refused, now_ms())
            shipped = _sum(shipped, items, batch)
            items = queue.next(POLLS_AT_ONCE, ITEMS_AT_ONCE, LINES_AT_ONCE)
            if shipped.away is not None or not items:
                break
    return shipped


@dataclass(frozen=True, slots=True)
class Batch:
    """The first `arrived` entries need not be sent again; `refused` ones among them are not there."""

    arrived: int
    rows: int
    refused: tuple[tuple[Item, StoreError], ...] = ()
    away: StoreError | None = None


def _sum(shipped: Shipped, items: Sequence[Item], batch: Batch) -> Shipped:
    refused = {item.seq for item, _ in batch.refused}
    polls = sum(item.kind == "poll" and item.seq not in refused for item in items[: batch.arrived])
    return replace(
        shipped,
        polls=shipped.polls + polls,
        rows=shipped.rows + batch.rows,
        rejected=shipped.rejected + len(refused),
        away=batch.away,
    )


class Shipment:
    """One connection's worth of sending."""

    def __init__(self, queue: Queue, journal: Path, target: Target, stop: threading.Event) -> None:
        self._queue = queue
        self._journal = journal
        self._target = target
        self._stop = stop
        self._crossing: Crossing | None = None
        self._asked = False  # whether there is a crossing

    def send(self, items: Sequence[Item]) -> Batch:
        """All in one transaction; one by one when there is something among them that cannot be stored."""
        crossing = self._find_crossing(items)
        if crossing is not None:
            try:
                return Batch(len(items), self._insist(items, crossing))
            except StoreError as error:
                if error.code == "busy":
                    return Batch(0, 0, (), error)
                self._give_up(crossing, error)
        try:
            return Batch(len(items), self._insist(items))
        except StoreError as error:
            if error.code in _HOLDING:
                return Batch(0, 0, (), error)
            if len(items) > 1:
                return self._singly(items)
            return self._alone(items, error)

    def _find_crossing(self, items: Sequence[Item]) -> Crossing | None:
        if not self._asked and sum(item.kind == "poll" for item in items) >= POLLS_TO_ATTACH:
            self._asked = True
            self._crossing = self._target.archive.attach(self._journal)
        return self._crossing

    def _give_up(self, crossing: Crossing, error: StoreError) -> None:
        """Rows that are carried tell the archive's trouble from the journal's, and one bad row from the others."""
        _log.info("samples are carried one by one: %s", error)
        self._crossing = None
        with suppress(StoreError):
            crossing.close()

    def _alone(self, items: Sequence[Item], error: StoreError) -> Batch:
        """One entry, and it failed. That no row of it can be stored must be certain: there is nothing to compare."""
        if error.code == "data":
            return Batch(1, 0, ((items[0], error),))
        return Batch(0, 0, (), error)

    def _singly(self, items: Sequence[Item]) -> Batch:
        rows = 0
        refused: list[tuple[Item, StoreError]] = []
        unclear: list[int] = []
        for place, item in enumerate(items):
            if self._stop.is_set():
                return Batch(place, rows, tuple(refused))
            try:
                rows += self._insist((item,))
            except StoreError as error:
                if error.code in _HOLDING:
                    return Batch(place, rows, tuple(refused), error)
                _log.info("the archive refuses %s %s: %s", item.kind, item.item, error)
                refused.append((item, error))
                unclear += [place] * (error.code != "data")
        if len(unclear) == len(items):  # nothing at all could be stored: that says more about the archive
            return Batch(0, 0, (), refused[0][1])
        return Batch(len(items), rows, tuple(refused))

    def _insist(self, items: Sequence[Item], crossing: Crossing | None = None) -> int:
        """Rows written. Repeats the whole transaction while the archive is busy."""
        rows = gather(self._queue.connection, items, samples=crossing is None)
        wait, deadline = _FIRST_WAIT_SECONDS, Deadline(_BUSY_SECONDS)
        while True:
            try:
                with self._target.archive.transaction():
                    return self._target.write(rows, current=True, crossing=crossing)
            except BaseException as error:
                self._target.forget()
                if crossing is not None:
                    crossing.forget()
                if not _busy(error) or deadline.passed or self._stop.wait(random.uniform(wait / 2, wait)):  # noqa: S311
                    raise
                wait *= 2


def _busy(error: BaseException) -> bool:
    return isinstance(error, StoreError) and error.code == "busy"

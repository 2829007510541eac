"""The bound of the journal while its archive is away or too slow: what is given up first, and that it is on record.

In this order, until the journal is a twentieth below the bound: what the archive has anyway; the oldest samples that
it does not have, and connections that are over; polls and sections; events; log lines with the polls that brought them.
Never the newest report of a host, open alerts or what people are owed.
Each loss is an event of kind `gap`, which waits for the archive like any other. Not enforced while history from before
the archive has yet to be copied there: it would be the first to go, and nobody would have it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from poller.model import Event, Severity
from poller.store import aging
from poller.store.aging import Aging
from poller.store.hosts import Hosts
from poller.store.journal import Journal
from poller.store.prune import empty_log, give_back
from poller.store.queue import UNCOPIED, Queue
from poller.store.shipped import IDS_AT_ONCE, cut_ms, newest_reports
from poller.store.sql import statements

_log = logging.getLogger(__name__)

# A step gives up a twentieth of what there is; and the journal is brought a twentieth below its bound, so that this
# does not begin again with the next poll.
_SHARE: Final = 20


def drop_oldest(journal: Journal, bound: int, now_ms: int) -> int:
    """Brings the journal below its bound; returns how many polls lost their samples or themselves. StoreError."""
    queue = journal.queue()
    if used_bytes(queue.connection) <= bound:
        return 0
    if queue.connection.execute(statements()["last_done"], {"task": UNCOPIED}).fetchone():
        _log.warning(
            "the journal is beyond its bound with history that the archive lacks: `poller db copy journal archive`"
        )
        return 0
    return _Cut(queue, bound - bound // _SHARE, now_ms).all()


def used_bytes(connection: sqlite3.Connection) -> int:
    """Of the pages that hold something."""

    def pragma(name: str) -> int:
        value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")


@dataclass(frozen=True, slots=True)
class _Span:
    """So many polls (or events), of this time."""

    count: int
    first_ms: int
    last_ms: int


class _Cut:
    def __init__(self, queue: Queue, target: int, now_ms: int) -> None:
        self._queue = queue
        self._connection = queue.connection
        self._target = target
        self._now_ms = now_ms

    def all(self) -> int:
        self._drop_shipped()
        dropped = self._drop("samples of {} polls", self._oldest_samples, self._drop_samples)
        dropped += self._drop("{} polls", self._oldest_polls, self._drop_polls)
        self._drop("{} events", self._oldest_events, self._drop_events)
        dropped += self._drop("log lines of {} polls", self._oldest_lines, self._drop_lines)
        give_back(self._connection, _PAGES_AT_ONCE, keep=False)
        empty_log(self._connection)
        return dropped

    @property
    def _enough(self) -> bool:
        return used_bytes(self._connection) <= self._target

    def _drop(self, what: str, oldest: Callable[[], _Span | None], drop: Callable[[_Span], None]) -> int:
        """Step by step, oldest first; one event tells all of it."""
        count, first_ms, last_ms = 0, 0, 0
        while not self._enough:
            span = oldest()
            if span is None:
                break
            drop(span)
            first_ms = first_ms if count else span.first_ms
            count, last_ms = count + span.count, span.last_ms
        if count:
            self._record(what.format(count), first_ms, last_ms)
        return count

    def _record(self, what: str, first_ms: int, last_ms: int) -> None:
        text = f"{what} from {_datetime(first_ms)} to {_datetime(last_ms)} were given up: the archive has not taken "
        text += "them and the journal has reached its bound"
        _log.warning("%s", text)
        with self._queue.writing():
            Hosts(self._connection).store_event(None, Event("gap", self._now_ms, Severity.HIGH, text))

    def _drop_shipped(self) -> None:
        """What the archive has: no loss, so no event."""
        cut = cut_ms(self._connection, self._now_ms, kept_ms=0)
        if cut is not None:
            for one in (*_SAMPLES, aging.PEER_DAY, aging.LOG_LINE, aging.POLL):
                self._delete(one, cut, spared=True)
            give_back(self._connection, _PAGES_AT_ONCE, keep=False)

    def _oldest_samples(self) -> _Span | None:
        """A twentieth of the polls whose samples are here, the oldest."""
        (since,) = self._connection.execute(statements()["oldest_samples"]).fetchone()
        return None if since is None else self._span("waiting_reports", since)

    def _oldest_polls(self) -> _Span | None:
        return self._span("waiting_polls", 0)

    def _oldest_lines(self) -> _Span | None:
        return self._span("waiting_lines", 0)

    def _oldest_events(self) -> _Span | None:
        return self._span("waiting_events", 0)

    def _span(self, statement: str, since: int) -> _Span | None:
        """The first twentieth of the instants that the statement gives, in order."""
        found = self._connection.execute(statements()[statement], {"since_ms": since}).fetchall()
        if not found:
            return None
        last = found[max(0, len(found) // _SHARE - 1)][0]
        count = sum(at_ms <= last for (at_ms,) in found)
        return _Span(count, found[0][0], last)

    def _drop_samples(self, span: _Span) -> None:
        for one in _SAMPLES:
            self._delete(one, span.last_ms + 1)
        give_back(self._connection, _PAGES_AT_ONCE, keep=False)

    def _delete(self, one: Aging, before_ms: int, *, spared: bool = False) -> None:
        rows = [
            {"id": number, "before_ms": before_ms if report_ms is None else min(before_ms, report_ms)}
            for number, report_ms in newest_reports(self._connection, one.inventory, before_ms)
        ]
        for start in range(0, len(rows), IDS_AT_ONCE):
            with self._queue.writing():
                self._connection.executemany(one.deletion(spared=spared), rows[start : start + IDS_AT_ONCE])

    def _drop_polls(self, span: _Span) -> None:
        """But for those that brought log lines: without them the archive would never be sent these."""
        hosts = [
            {"id": number, "before_ms": span.last_ms + 1}
            for number, _ in newest_reports(self._connection, "host", span.last_ms)
        ]
        with self._queue.writing():
            self._connection.executemany(statements()["drop_polls"], hosts)
            self._connection.execute(statements()["forget_polls"], {"before_ms": span.last_ms + 1})

    def _drop_lines(self, span: _Span) -> None:
        hosts = [
            {"id": number, "before_ms": span.last_ms + 1}
            for number, _ in newest_reports(self._connection, "host", span.last_ms)
        ]
        with self._queue.writing():
            self._connection.executemany(aging.LOG_LINE.deletion(), hosts)
        self._drop_polls(span)

    def _drop_events(self, span: _Span) -> None:
        with self._queue.writing():
            self._connection.execute(statements()["drop_events"], {"before_ms": span.last_ms + 1})
            self._connection.execute(statements()["forget_events"])


_SAMPLES: Final = (*aging.SAMPLES.values(), aging.EPISODES["connection"])
_PAGES_AT_ONCE: Final = 2000


def _datetime(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")

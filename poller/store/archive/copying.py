"""A whole database of history into another one, of either kind.

Each poll is wholly there or not at all, at every moment. Killed anywhere and begun again it goes on: what is there is
passed over. What both have stays as the newer of the two is; nothing is deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from poller.model.contracts import Archive, Condition, Question
from poller.store.archive.pages import Row, pages, whole
from poller.store.archive.rows import Rows, Target
from poller.store.archive.tables import INVENTORIES, SAMPLES, TABLES

POLLS_AT_ONCE: Final = 200

Progress = Callable[[int, int], None]


def copy(source: Archive, target: Archive, progress: Progress = lambda done, of: None) -> Mapping[str, int]:
    """Rows that were sent, by table. `progress` is told how many polls are done, and of how many. StoreError."""
    return _Copy(source, target, progress).all()


class _Copy:
    def __init__(self, source: Archive, target: Archive, progress: Progress) -> None:
        self._source = source
        self._archive = target
        self._target = Target(target)
        self._progress = progress
        self._polls = source.count("poll")
        self._done = 0
        self._sent: Counter[str] = Counter(dict.fromkeys((name for name in TABLES if name not in _OWN), 0))

    def all(self) -> Mapping[str, int]:
        hosts = self._source.find(whole("host"))
        self._write(Rows({"host": hosts}))
        for host in hosts:
            self._host(host[0])
        for table, order in _BY_TIME.items():
            for page in pages(self._source, whole(table, order=order)):
                self._write(Rows({table: page}))
        return self._sent

    def _write(self, *parts: Rows) -> None:
        with self._archive.transaction():
            try:
                for rows in parts:
                    self._target.write(rows, current=False)
            except BaseException:
                self._target.forget()
                raise
        for rows in parts:
            self._sent.update({name: len(found) for name, found in rows.tables.items()})

    def _host(self, host: int) -> None:
        """Everything of one host: its things first, then polls with all that belongs to them, page by page."""
        one = Condition("host_id", "=", host)
        self._write(Rows({name: self._source.find(whole(name, one)) for name in INVENTORIES}))
        beyond = -1
        for page in pages(self._source, whole("poll", one, order=("at_ms", "id")), POLLS_AT_ONCE):
            last = page[-1][_AT]
            self._some_polls(host, page, beyond, last)
            beyond = max(beyond, last)
            self._done += len(page)
            self._progress(self._done, self._polls)
        self._write_samples(host, [Condition("at_ms", ">", beyond)])
        self._state(host)

    def _some_polls(self, host: int, polls: list[Row], beyond: int, last: int) -> None:
        ids = tuple(row[0] for row in polls)
        there = self._archive.find(Question("poll", ("id",), (Condition("id", "in", ids),)))
        if len(there) == len(ids):
            return
        rows = Rows({"poll": polls, "section": self._source.find(whole("section", Condition("poll_id", "in", ids)))})
        self._write_samples(host, [Condition("at_ms", ">", beyond), Condition("at_ms", "<=", last)], rows)

    def _write_samples(self, host: int, span: list[Condition], *first: Rows) -> None:
        """With the polls they belong to in one transaction, read as they are written."""
        with self._archive.transaction():
            try:
                for rows in (*first, *self._samples(host, span)):
                    self._target.write(rows, current=False)
                    self._sent.update({name: len(found) for name, found in rows.tables.items()})
            except BaseException:
                self._target.forget()
                raise

    def _samples(self, host: int, span: list[Condition]) -> Iterator[Rows]:
        for table in SAMPLES.values():
            column, inventory = table.parent or ("", "")
            things: tuple[Any, ...] = (host,)
            if inventory != "host":
                found = self._source.find(Question(inventory, ("id",), (Condition("host_id", "=", host),)))
                things = tuple(number for (number,) in found)
            if things:
                question = whole(table.name, Condition(column, "in", things), *span, order=table.key)
                yield from (Rows({table.name: page}) for page in pages(self._source, question))

    def _state(self, host: int) -> None:
        """How the host is now, unless the target knows better."""
        one = Condition("host_id", "=", host)
        latest = self._source.find(whole("host_latest", one))
        here = Condition("host_id", "=", self._target.id_of("host", host))
        there = self._archive.find(Question("host_latest", ("at_ms",), (here,)))
        if there and (not latest or latest[0][_LATEST_AT] < there[0][0]):
            return
        limits = self._source.find(whole("limit_state", one))
        self._write(Rows({"limit_state": limits, "host_latest": latest}, {host}))


_OWN: Final = ("metric", "housekeeping")
_BY_TIME: Final = {
    "round": ("started_ms", "id"), "event": ("at_ms", "id"), "alert": ("id",), "notification": ("id",),
}  # fmt: skip
_AT: Final = 3  # of `poll`
_LATEST_AT: Final = 2  # of `host_latest`
PLACES: Final = {("poll", "at_ms"): _AT, ("host_latest", "at_ms"): _LATEST_AT}

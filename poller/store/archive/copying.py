"""A whole database of history into another one, of either kind.

Each poll is wholly there or not at all, at every moment. Killed anywhere and begun again it goes on: what is there is
passed over. What both have stays as the newer of the two is; nothing is deleted. What the target refuses for good is
named, and the rest goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from poller.errors import StoreError
from poller.model.contracts import Archive, Condition, Question
from poller.store.archive.pages import Row, pages, whole
from poller.store.archive.rows import Rows, Target
from poller.store.archive.tables import INVENTORIES, PEER_DAY, ROLLUPS, SAMPLES, TABLES, Table

POLLS_AT_ONCE: Final = 200
# SQLite before 3.32 takes 999 values per statement.
_THINGS_AT_ONCE: Final = 900

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row, or a poll with all that belongs to it, that the target will never take. `item` is its first column."""

    table: str
    item: str
    error: str


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows that were sent, by table, and what was refused."""

    rows: Mapping[str, int]
    refused: tuple[Refusal, ...] = ()


def copy(source: Archive, target: Archive, progress: Progress = lambda done, of: None) -> Copied:
    """`progress` is told how many polls are done, and of how many. StoreError."""
    return _Copy(source, target, progress).all()


class _Copy:
    def __init__(self, source: Archive, target: Archive, progress: Progress) -> None:
        self._source = source
        self._archive = target
        self._target = Target(target)
        self._progress = progress
        self._polls = source.count("poll")
        self._done = 0
        self._hosts: list[Row] = []
        self._sent: Counter[str] = Counter(dict.fromkeys((name for name in TABLES if name not in _OWN), 0))
        self._refused: dict[tuple[str, str], Refusal] = {}

    def all(self) -> Copied:
        for host in self._source.find(whole("host")):
            if self._write(Rows({"host": [host]})):
                self._hosts.append(host)
        for host in self._hosts:
            self._host(host[0])
        for table, order in _BY_TIME.items():
            for page in pages(self._source, whole(table, order=order)):
                self._write(Rows({table: page}))
        return Copied(self._sent, tuple(self._refused.values()))

    def _write(self, rows: Rows) -> bool:
        """Row by row where one of them is refused. False when that is all there was."""
        try:
            self._send([rows])
        except StoreError as error:
            if error.code != "data":
                raise
            self._learn()
            if len(rows) == 1:
                ((table, (row,)),) = ((name, found) for name, found in rows.tables.items() if found)
                self._refuse(table, row, error)
                return False
            for name, found in rows.tables.items():
                for row in found:
                    self._write(Rows({name: [row]}))
        return True

    def _refuse(self, table: str, row: Row, error: StoreError) -> None:
        """Once, however often it was tried."""
        refusal = Refusal(table, str(row[0]), error.sentence)
        self._refused.setdefault((table, refusal.item), refusal)

    def _send(self, parts: Iterable[Rows]) -> None:
        """All of it in one transaction, read as it is written."""
        sent: Counter[str] = Counter()
        with self._archive.transaction():
            try:
                for rows in parts:
                    self._target.write(rows, current=False)
                    sent.update({name: len(found) for name, found in rows.tables.items()})
            except BaseException:
                self._target.forget()
                raise
        self._sent.update(sent)

    def _learn(self, host: int | None = None) -> None:
        """The ids that things have there, again: a transaction that failed took them along."""
        with self._archive.transaction():
            self._target.write(Rows({"host": self._hosts}), current=False)
        if host is not None:
            self._things(host)

    def _things(self, host: int) -> None:
        one = Condition("host_id", "=", host)
        self._write(Rows({name: self._source.find(whole(name, one)) for name in INVENTORIES}))

    def _host(self, host: int) -> None:
        """Everything of one host: its things first, then polls with all that belongs to them, page by page."""
        self._things(host)
        beyond = -1
        question = whole("poll", Condition("host_id", "=", host), order=("at_ms", "id"))
        for page in pages(self._source, question, POLLS_AT_ONCE):
            last = page[-1][_AT]
            self._some_polls(host, page, beyond, last)
            beyond = max(beyond, last)
            self._done += len(page)
            self._progress(self._done, self._polls)
        self._send(self._samples(host, beyond, None))
        self._send(self._of_things(host, PEER_DAY, []))
        for table in ROLLUPS.values():
            for rows in self._of_things(host, table, []):
                self._send([rows])
        self._state(host)

    def _some_polls(self, host: int, polls: list[Row], beyond: int, last: int) -> None:
        """Poll by poll where one of them is refused."""
        try:
            self._all_polls(host, polls, beyond, last)
        except StoreError as error:
            if error.code != "data":
                raise
            self._learn(host)
            if len(polls) == 1:
                self._refuse("poll", polls[0], error)
                return
            for one in polls:
                self._some_polls(host, [one], beyond, one[_AT])
                beyond = max(beyond, one[_AT])

    def _all_polls(self, host: int, polls: list[Row], beyond: int, last: int) -> None:
        ids = tuple(row[0] for row in polls)
        there = self._archive.find(Question("poll", ("id",), (Condition("id", "in", ids),)))
        if len(there) == len(ids):
            return
        rows = Rows({"poll": polls, "section": self._source.find(whole("section", Condition("poll_id", "in", ids)))})
        self._send(chain([rows], self._samples(host, beyond, last)))

    def _samples(self, host: int, beyond: int, last: int | None) -> Iterator[Rows]:
        for table in SAMPLES.values():
            span = [Condition(table.time, ">", beyond)]
            if last is not None:
                span.append(Condition(table.time, "<=", last))
            yield from self._of_things(host, table, span)

    def _of_things(self, host: int, table: Table, span: list[Condition]) -> Iterator[Rows]:
        column, inventory = table.parent or ("", "")
        things: tuple[Any, ...] = (host,)
        if inventory != "host":
            found = self._source.find(Question(inventory, ("id",), (Condition("host_id", "=", host),), ("id",)))
            things = tuple(number for (number,) in found)
        for start in range(0, len(things), _THINGS_AT_ONCE):
            some = Condition(column, "in", things[start : start + _THINGS_AT_ONCE])
            question = whole(table.name, some, *span, order=table.key)
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
    "round": ("started_ms", "id"), "event": ("at_ms", "id"), "alert": ("id",),
    "acknowledgement": ("id",), "evidence": ("alert_id", "part"), "silence": ("id",), "message": ("id",),
    "notification": ("id",), "history_bound": ("resolution",),
}  # fmt: skip
_AT: Final = 3  # of `poll`
_LATEST_AT: Final = 2  # of `host_latest`
PLACES: Final = {("poll", "at_ms"): _AT, ("host_latest", "at_ms"): _LATEST_AT}

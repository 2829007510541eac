"""POLLS INTO THE JOURNAL, in the order in which they came. While it cannot be written they wait here.

Nobody else is told of that: hosts are polled on, and what waits is stored, judged and told of when the journal is back.
There is a bound on it; beyond that the oldest go, and the gap is an event. Belongs to the main thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from poller.clock import now_ms
from poller.daemon.backlog import Backlog
from poller.errors import PollerError, StoreError
from poller.intake import Intake, Taken
from poller.model import Before, Config, Event, Poll, Severity
from poller.store import Journal

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 200
# Seconds until a journal that failed is tried again, more each time.
_PAUSES: Final = (0.5, 1.0, 2.0, 5.0)
# Seconds that a transaction waits for that of another program: nobody is to wait for the main loop for longer.
_PATIENCE: Final = 2.0
# What a new connection to the database cannot mend.
_NOT_OURS: Final = frozenset({"locked", "full"})


class Keeping:
    """`lost` counts polls that were given up since the start, `trouble` says why they wait or is empty."""

    def __init__(self, config: Config, round_id: str) -> None:
        self._config = config
        self._path = config.journal
        self._round_id = round_id
        self._archived = config.archive is not None
        self._open(archived=self._archived)
        self._waiting = Backlog()
        self._befores: dict[str, Before] = {}
        self._failures = 0
        self._not_before = 0.0
        self._lost_now = 0
        self._events: list[Event] = []
        self.lost = 0
        self.trouble = ""

    def _open(self, *, archived: bool | None = None) -> None:
        self._opened = False
        self.journal = Journal.open(self._path, now_ms=now_ms(), archived=archived, stays=True)
        self.journal.wait_for_others(_PATIENCE)
        self._intake = Intake(self.journal, self._config, self._round_id, keep=True)
        self._opened = True

    def change(self, config: Config) -> None:
        """These are the hosts, and what they are judged by, from now on."""
        known = {host.name for host in config.hosts}
        self._config = config
        self._queue_for_archive()
        self._intake = Intake(self.journal, config, self._round_id, keep=True)
        self._waiting.keep(known)
        self._befores = {name: before for name, before in self._befores.items() if name in known}

    def _queue_for_archive(self) -> None:
        """Whether there is an archive may have changed with the configuration. Tried again when the journal is back."""
        archived = self._config.archive is not None
        if archived is self._archived:
            return
        try:
            self.journal.queue().enable(archived=archived, now_ms=now_ms())
            self._archived = archived
        except StoreError as error:
            self._failed(error)

    def note(self, event: Event) -> None:
        """Something that happened to the poller itself; stored with the next polls."""
        self._events.append(event)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def take(self, polls: Sequence[Poll], *, at_any_rate: bool = False) -> tuple[Taken, ...]:
        """Stores these and what waits, if that is possible now. What was stored.

        A journal that failed a moment ago is left alone for a moment, unless `at_any_rate`.
        """
        self._waiting.add(polls)
        if not (self._waiting or self._events) or (time.monotonic() < self._not_before and not at_any_rate):
            self._give_up_oldest()
            return ()
        taken: list[Taken] = []
        try:
            if not self._opened:
                self._open()
            while self._waiting:
                batch = self._waiting.oldest(_AT_ONCE)
                taken += self._intake.take(batch)
                self._waiting.drop(len(batch))
            self._is_well()
        except PollerError as error:
            self._failed(error)
        self._give_up_oldest()
        return tuple(taken)

    def befores(self, hosts: Collection[str]) -> Mapping[str, Before]:
        """What is remembered of these. While the journal cannot be read, what was remembered last."""
        if self._opened and not self._waiting and not self.trouble:
            try:
                self._befores |= self.journal.before(sorted(hosts))
            except StoreError as error:
                self._failed(error)
        return {name: self._befores.get(name, Before()) for name in hosts}

    def begin_round(self, round_id: str, hosts: int, ended: Mapping[str, int] | None, signal: int = 0) -> None:
        """One begins, and the one before is over, with so many polls by outcome; without a `round_id` only that.

        A journal that cannot be written has no row of it; the polls of that time are stored all the same.
        """
        before, self._round_id = self._round_id, round_id or self._round_id
        self._intake.begin_round(self._round_id)
        if self.trouble or not self._opened:
            return
        at_ms = now_ms()
        try:
            with self.journal.transaction() as work:
                if ended is not None:
                    work.end_round(before, at_ms, ended, signal)
                if round_id:
                    work.begin_round(round_id, "full", at_ms, hosts)
        except StoreError as error:
            self._failed(error)

    def close(self) -> None:
        """Says what is lost with it."""
        if self._waiting:
            _log.warning("%d polls are lost: the journal could not be written to the end", len(self._waiting))
        self._close()

    def _close(self) -> None:
        try:
            self.journal.close()
        except StoreError as error:
            _log.info("the journal is not closed well: %s", error.sentence)

    def _is_well(self) -> None:
        if self.trouble:
            _log.warning("the journal can be written again: all that waited is stored")
        self._failures, self.trouble = 0, ""
        self._queue_for_archive()
        if self._lost_now:
            lost, self._lost_now = self._lost_now, 0
            text = f"{lost} polls were lost: the journal could not be written for so long"
            self._events.append(Event("gap", now_ms(), Severity.HIGH, text))
        if self._events:
            with self.journal.transaction() as work:
                work.store_events("", self._events)
            self._events = []

    def _failed(self, error: PollerError) -> None:
        if error.sentence != self.trouble:
            _log.warning("%s; polls wait in memory until it can be written", error.sentence)
        self.trouble = error.sentence
        self._not_before = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        if error.code not in _NOT_OURS and self._opened:
            # The file may have been moved away, or put back: only a new connection finds that out.
            self._opened = False
            self._close()

    def _give_up_oldest(self) -> None:
        lost = self._waiting.bound()
        if lost and not self._lost_now:
            _log.warning("%d polls wait for the journal, and that is the bound: the oldest go", len(self._waiting))
        self._lost_now += lost
        self.lost += lost

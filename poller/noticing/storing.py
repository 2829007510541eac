"""What is whole goes into the journal, with what follows from it, and the next poll is held against it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from poller.alerts import compare
from poller.errors import StoreError
from poller.intake import new_id, owe
from poller.live.difference import LIVE, changed, renewed
from poller.live.judging import about, verdicts
from poller.model import Before, Config, Event, Reading, Sight, Sighted, World
from poller.noticing.watched import Watched
from poller.store import Journal, Work

_log = logging.getLogger(__name__)
# Seconds until a journal that could not be written is tried again.
_PAUSE: Final = 1.0
# What a host that is watched tells of.
_SIGHT: Final = Sight(frozenset(LIVE))
_NO_READING: Final = Reading(0.0, 0.0, "", ())


class Storing:
    """`trouble` says why the journal could not be written, `not_before` when that is tried again (monotonic)."""

    def __init__(self, journal: Journal, config: Config) -> None:
        self.journal = journal
        self.config = config
        self.trouble = ""
        self.not_before = -math.inf

    def remembered(self, host: str) -> Before | None:
        """What the journal knows of a host; None while it cannot be read."""
        try:
            return self.journal.before([host])[host]
        except StoreError as error:
            self._failed(error)
            return None

    def store(self, by_host: Mapping[str, Sequence[Sighted]], watched: Mapping[str, Watched]) -> bool:
        """In one transaction. False when that fails: then nothing of it is stored."""
        try:
            self._commit(by_host, watched)
        except StoreError as error:
            if not self._after_making_room(error, by_host, watched):
                return False
        self.trouble = ""
        return True

    def _after_making_room(
        self, error: StoreError, by_host: Mapping[str, Sequence[Sighted]], watched: Mapping[str, Watched]
    ) -> bool:
        try:
            if self.journal.make_room(error):
                self._commit(by_host, watched)
                return True
        except StoreError as again:
            error = again
        self._failed(error)
        return False

    def _commit(self, by_host: Mapping[str, Sequence[Sighted]], watched: Mapping[str, Watched]) -> None:
        with self.journal.transaction() as work:
            for name, some in by_host.items():
                ids = {sighted.id for sighted in some}
                self._keep(work, name, watched.get(name), [sighted.event for sighted in some], ids)

    def _keep(self, work: Work, name: str, one: Watched | None, events: Sequence[Event], ids: Collection[str]) -> None:
        if one is None:
            work.store_events(name, events)
            return
        self._judge(work, one, events)
        before = work.before(name).reading
        settled = all(sighted.id in ids for sighted in one.fold.whole())
        if before is None or one.fresh is None or not settled:
            work.store_push(name, events[-1].at_ms, events, None, _NO_READING)
            return
        now = renewed(before, one.fresh)
        work.store_push(name, events[-1].at_ms, events, None if now is before else now, changed(before, now))

    def _judge(self, work: Work, one: Watched, events: Sequence[Event]) -> None:
        """Before they are stored: what is stored counts as the past."""
        if not any(about(rule) for rule in one.rules):
            return
        name, at_ms = one.host.name, max(event.at_ms for event in events)
        found = verdicts(
            one.rules, World(at_ms, sight=_SIGHT, events=events, history=work.history(name, one.needs, at_ms))
        )
        if found is None:
            return
        memory = work.alert_memory(name)
        comparison = compare(name, found, memory, one.rules, at_ms, new_id, one.periods)
        work.store_comparison(name, comparison)
        owe(work, self.config, comparison.changes)

    def _failed(self, error: StoreError) -> None:
        if error.sentence != self.trouble:
            _log.warning("%s; what hosts tell waits until it can be written", error.sentence)
        self.trouble = error.sentence
        self.not_before = time.monotonic() + _PAUSE

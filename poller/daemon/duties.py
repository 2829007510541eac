"""WHAT A DAEMON DOES BESIDES POLLING, each in a thread of its own: telling people, filling the archive, upkeep, and
telling who watches it that it lives. The steps are those that follow a round of `poller run` (`poller.round`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from poller import blame, history, itself, names, round
from poller.daemon.board import Board, shortest_interval
from poller.daemon.duty import Duty
from poller.model import Config
from poller.notify import Delivery
from poller.store import Journal

# Seconds between two looks at what people are owed, at least and at most.
_TELL_OFTEN: Final = 1.0
_TELL_SELDOM: Final = 5.0
# Seconds between two deliveries to the archive, at least and at most; the same for upkeep.
_OFTEN: Final = 5.0
_SELDOM: Final = 60.0

Configured = Callable[[], Config]


class Telling:
    """Whose fault it is, and who is told now. Where nothing has happened and nobody is owed anything it only looks
    once per shortest interval=, or once a minute: for reminders, and for whoever may be told now. What a host tells by
    itself stirs no board, but may be owed.
    """

    def __init__(self, config: Configured, board: Board) -> None:
        self._config = config
        self._board = board
        self._not_later = 0.0
        self._kept = True
        self.delivery = Delivery()

    def __call__(self, journal: Journal, stop: threading.Event) -> float:
        config = self._config()
        now = time.monotonic()
        if self._board.stirred() or self._kept or now >= self._not_later or journal.owes():
            self._not_later = now + _regularly(config)
            self._tell(journal, config, stop)
        return min(_TELL_SELDOM, max(_TELL_OFTEN, config.group_wait))

    def _tell(self, journal: Journal, config: Config, stop: threading.Event) -> None:
        self._kept = True  # until it is known that nobody waits
        blame.settle(journal, config, self._board.fleet())
        delivery = round.tell(journal, config, stop, wait=config.group_wait, interval=config.group_interval)
        if delivery is not None:
            self.delivery += delivery
        self._kept = journal.owes()


class Archiving:
    """What the archive does not have yet goes there; once an hour it forgets what is too old."""

    def __init__(self, config: Configured) -> None:
        self._config = config
        self._trim_from = time.monotonic() + round.PRUNE_EVERY_MS / 1000

    def __call__(self, journal: Journal, stop: threading.Event) -> float:
        config = self._config()
        if config.archive is not None:
            self._fill(journal, config, stop)
        return _regularly(config)

    def _fill(self, journal: Journal, config: Config, stop: threading.Event) -> None:
        shipped = history.ship(config, stop)
        round.roll_up(journal, config, stop, shipped)
        if shipped is not None and shipped.away is None and time.monotonic() >= self._trim_from:
            self._trim_from = time.monotonic() + round.PRUNE_EVERY_MS / 1000
            history.trim(config, stop)


class Upkeep:
    """The poller's own numbers, names of peers, alerts of hosts that are gone, and history cut to its length."""

    def __init__(self, config: Configured, board: Board, owed: Callable[[], None]) -> None:
        self._config = config
        self._board = board
        self._owed = owed
        self._closed_for: Config | None = None

    def __call__(self, journal: Journal, stop: threading.Event) -> float:
        config = self._config()
        if config is not self._closed_for:
            if round.close_unconfigured(journal, config):
                self._owed()
            self._closed_for = config
        if itself.look(journal, config, self._board.fleet(), round.used_bytes(journal, config)).owed:
            self._owed()
        names.resolve(journal, stop)
        if config.archive is None:
            round.roll_up(journal, config, stop)
        if not stop.is_set():
            round.forget(journal, config, stop)
        return _regularly(config)


def _regularly(config: Config) -> float:
    return min(_SELDOM, max(_OFTEN, shortest_interval(config)))


def duties(config: Configured, board: Board) -> tuple[Duty, ...]:
    """Telling, archive and upkeep, not begun yet. They have the journal that is configured now."""
    path = config().journal
    telling = Duty("telling", path, Telling(config, board))
    archive = Duty("archive", path, Archiving(config))
    return telling, archive, Duty("upkeep", path, Upkeep(config, board, telling.wake))

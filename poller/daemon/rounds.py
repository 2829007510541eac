"""The rounds of a daemon: each shortest interval= one ends and one begins, so that polls have one to refer to.

A row of `round` (kind full) counts the polls of its time, and who watches the poller hears of it. What was late is left
out, so that a machine that slept has one round of that time.
"""

from __future__ import annotations

import time
from typing import Final

from poller.daemon.board import Board, shortest_interval
from poller.daemon.keeping import Keeping
from poller.daemon.pulse import Pulse
from poller.daemon.status import hosts
from poller.intake import new_id
from poller.model import Config

# Seconds between two heartbeats at least.
_PULSE: Final = 10.0


class Rounds:
    """`id` is that of the one that is going on. Belongs to the main thread."""

    def __init__(self, board: Board) -> None:
        self.id = new_id()
        self._board = board
        self._pulse = Pulse()
        self._begun = False
        self._ends = time.monotonic()
        self._pulse_from = self._ends

    def turn(self, config: Config, keeping: Keeping) -> None:
        """Does nothing until it is time."""
        now = time.monotonic()
        if now < self._ends:
            return
        self._ends = now + shortest_interval(config)
        tally = self._board.end_round()
        if self._begun:
            self.id = new_id()
        keeping.begin_round(self.id, len(config.hosts), tally.outcomes if self._begun else None)
        self._begun = True
        if now >= self._pulse_from:
            self._pulse_from = now + _PULSE
            counts = (f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
            words = ", ".join([hosts(len(config.hosts)), *counts])
            self._pulse.turn(config.heartbeat, self.id, words, well=not keeping.trouble)

    def end(self, keeping: Keeping, signal: int) -> None:
        """The last one is over, because of a signal."""
        if self._begun:
            keeping.begin_round("", 0, self._board.end_round().outcomes, signal)

"""A DUTY: something that a daemon does over and over in a thread of its own, with a journal of its own.

What fails is logged once, tried again, and never more than that: no duty ends the daemon, and none waits for another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.clock import now_ms
from poller.errors import PollerError
from poller.store import Journal

_log = logging.getLogger(__name__)
# Seconds after a failure until it is tried again.
_AGAIN: Final = 5.0
# Seconds between two turns at least, however often it is woken.
_CALM: Final = 0.5

# Does it once. In go the journal and what is set when it should come to an end; out come seconds until the next time.
Work = Callable[[Journal, threading.Event], float]


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with a duty: `busy_seconds` of the turn that is going on (0: none), `trouble` of the last one or ""."""

    name: str
    busy_seconds: float
    done_ms: int
    trouble: str


class Duty:
    """`tend` starts its thread, and again when it has died or could not be had."""

    def __init__(self, name: str, journal: Path, work: Work) -> None:
        self.name = name
        self._path = journal
        self._work = work
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._begun = 0.0
        self._done_ms = 0
        self._trouble = ""
        self._tend_from = 0.0

    def tend(self) -> None:
        now = time.monotonic()
        if now < self._tend_from or self._stop.is_set() or (self._thread and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._run, name=f"duty {self.name}", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            self._tend_from = now + _AGAIN
            self._note("no more threads: it waits until there is one")
        else:
            self._thread = thread

    def wake(self) -> None:
        """Its next turn is now, or as soon as the one that is going on is over."""
        self._woken.set()

    def stop(self) -> None:
        """Asks it to come to an end; `join` waits for that."""
        self._stop.set()
        self._woken.set()

    def join(self, seconds: float) -> bool:
        """False when it is still at work: it is left behind then."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    @property
    def standing(self) -> Standing:
        begun = self._begun
        return Standing(self.name, time.monotonic() - begun if begun else 0.0, self._done_ms, self._trouble)

    def _run(self) -> None:
        journal: Journal | None = None
        while not self._stop.is_set():
            self._begun = time.monotonic()
            try:
                journal = journal or Journal.open(self._path, now_ms=now_ms())
                seconds = self._work(journal, self._stop)
                self._done_ms = now_ms()
                self._note("")
            except Exception as error:  # whatever it is: the daemon goes on
                self._failed(error)
                seconds = _AGAIN
                self._close(journal)
                journal = None
            self._begun = 0.0
            self._stop.wait(_CALM)
            self._woken.wait(seconds)
            self._woken.clear()
        self._close(journal)

    def _close(self, journal: Journal | None) -> None:
        """What failed may be its connection: the next turn has a new one."""
        if journal is not None:
            try:
                journal.close()
            except PollerError as error:
                _log.info("%s: the journal is not closed well: %s", self.name, error.sentence)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PollerError):
            self._note(error.sentence)
        else:
            self._note(f"a fault of the poller itself: {error!r}")
            _log.debug("the fault of %s in full", self.name, exc_info=error)

    def _note(self, trouble: str) -> None:
        """Says what is new, once."""
        before, self._trouble = self._trouble, trouble
        if trouble and trouble != before:
            _log.warning("%s: %s; it is tried again", self.name, trouble)
        elif before and not trouble:
            _log.warning("%s: works again", self.name)

"""What others want of a host's thread: words that are left for it, and the bell that wakes it.

Nobody but the thread acts on them. The lock is for taking a word away without losing one that is said at that moment.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from poller.bell import Bell
from poller.model import Before, Host


class Said(NamedTuple):
    """Since it was asked last. None, or False: nothing of that kind. `watched`: somebody began to look at the host."""

    host: Host | None = None
    known: Before | None = None
    fits: bool | None = None
    watched: bool = False


class Wishes:
    """Everything but `take`, `put_back`, `take_poll` and `close` is for other threads, and does not wait.

    `live`: the host is watched. `ended`: its thread is to end; `dropped`: and nobody wants the poll that is going on.
    """

    __slots__ = ("_any_rate", "_lock", "_now", "_said", "bell", "dropped", "ended", "live")

    def __init__(self, *, live: bool) -> None:
        """OSError: there are no more files."""
        self.bell = Bell()
        self.live = live
        self.ended = self.dropped = False
        self._lock = threading.Lock()
        self._said = Said()
        self._now = self._any_rate = False

    def know(self, before: Before) -> None:
        """Its poll is stored, and this is remembered."""
        self._say(known=before)

    def change(self, host: Host) -> None:
        """It is configured like this from now on."""
        self._say(host=host)

    def fit(self, *, fits: bool) -> None:
        """Whether its session may be held."""
        self._say(fits=fits)

    def watch(self, *, live: bool) -> None:
        if live != self.live:
            self.live = live
            self._say(watched=live)

    def poll_now(self, *, at_any_rate: bool) -> None:
        with self._lock:
            self._any_rate = self._any_rate or at_any_rate
            self._now = True
        self.bell.set()

    def end(self, *, dropped: bool) -> None:
        self.dropped = dropped
        self.ended = True
        self.bell.set()

    def _say(self, **words: Any) -> None:
        with self._lock:
            self._said = self._said._replace(**words)
        self.bell.set()

    @property
    def now(self) -> bool:
        """Somebody wants a poll at once."""
        return self._now

    def take(self) -> Said:
        """What was said since last time."""
        with self._lock:
            said, self._said = self._said, Said()
        return said

    def put_back(self, said: Said) -> None:
        """What could not be acted on. What was said since is newer."""
        with self._lock:
            newer = self._said
            self._said = Said(
                newer.host or said.host,
                newer.known or said.known,
                said.fits if newer.fits is None else newer.fits,
                newer.watched or said.watched,
            )

    def take_poll(self) -> tuple[bool, bool]:
        """Whether a poll was asked for, and one at any rate."""
        with self._lock:
            asked, any_rate = self._now, self._any_rate
            self._now = self._any_rate = False
        return asked, any_rate

    def close(self) -> None:
        self.bell.close()

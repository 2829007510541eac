"""What hosts could not tell, for there was more than may be told: counted, shown at once, and kept as an event.

Who hides one contact among thousands is to be seen by the thousands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from poller.errors import StoreError
from poller.intake import new_id
from poller.model import Event, Push, Severity, Sighted
from poller.store import Journal

# Seconds in which all that one host loses is one event, counted from the first.
TOGETHER: Final = 10.0
# Seconds until a journal that could not be written is tried again.
_PAUSE: Final = 1.0


@dataclass(slots=True)
class _Lost:
    """`whole` is the instant of the monotonic clock at which it grows no more."""

    id: str
    at_ms: int
    whole: float
    count: int = 0

    def sighted(self, host: str) -> Sighted:
        what = "contacts or announcements of devices" if self.count > 1 else "contact or announcement of a device"
        words = f"{self.count} {what} lost: more happened than can be told"
        return Sighted(self.id, host, Event("gap", self.at_ms, Severity.MEDIUM, words))


class Losses:
    """Belongs to the thread that owns the journal. Raises no StoreError: what could not be stored is tried again."""

    def __init__(self, new_id: Callable[[], str] = new_id) -> None:
        self._new_id = new_id
        self._hosts: frozenset[str] = frozenset()
        self._lost: dict[str, _Lost] = {}

    def watch(self, hosts: Collection[str]) -> None:
        """Exactly these are watched from now on. Nothing new is said of others; what was shown is stored."""
        self._hosts = frozenset(hosts)

    def take(self, pushes: Iterable[Push], now: float | None = None) -> tuple[Sighted, ...]:
        """What is shown at once: events that began, or count more than before.

        The first frame of a session counts what could not be opened there, which its coverage says.
        """
        at = time.monotonic() if now is None else now
        touched: dict[str, Sighted] = {}
        for push in pushes:
            if push.lost and push.sequence > 1 and push.host in self._hosts:
                known = self._lost.get(push.host)
                if known is None:
                    known = self._lost[push.host] = _Lost(self._new_id(), push.at_ms, at + TOGETHER)
                known.count += push.lost
                touched[push.host] = known.sighted(push.host)
        return tuple(touched.values())

    def due(self, journal: Journal, now: float | None = None) -> tuple[Sighted, ...]:
        """Stores what is whole; the same once more, now as stored."""
        if not self._lost:
            return ()
        at = time.monotonic() if now is None else now
        whole = [lost.sighted(host) for host, lost in self._lost.items() if lost.whole <= at]
        if not whole:
            return ()
        try:
            with journal.transaction() as work:
                for one in whole:
                    work.store_events(one.host, [one.event])
        except StoreError:
            for one in whole:
                self._lost[one.host].whole = at + _PAUSE
            return ()
        for one in whole:
            del self._lost[one.host]
        return tuple(replace(one, stored=True) for one in whole)

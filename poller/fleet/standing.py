"""How a host stands: connected, lost and why, and since when. Said again only when it is news."""

from __future__ import annotations

import time
from dataclasses import replace

from poller.clock import now_ms
from poller.model import Host, Link, LinkState

# Why a host is not held, though it could be.
CROWDED = "the poller has too few open files to hold it (`ulimit -n`)"


class Standing:
    """Belongs to the host's thread; `at` is for all. `heard_ms`: when the host said anything last, 0 never."""

    __slots__ = ("_state", "heard_ms")

    def __init__(self, host: Host, link: Link, *, reason: str, live: bool) -> None:
        self._state = LinkState(host.name, link, now_ms(), reason=reason, live=live)
        self.heard_ms = 0

    @property
    def link(self) -> Link:
        return self._state.link

    def turn(self, link: Link, reason: str | None, *, tries: int, live: bool, anew: bool = False) -> bool:
        """It stands like this now; whether that is news. `reason` None: as before. `anew`: it stands so again."""
        was = self._state
        self._state = replace(
            was,
            link=link,
            since_ms=was.since_ms if link is was.link and not anew else now_ms(),
            tries=0 if link is Link.CONNECTED else tries,
            reason=was.reason if reason is None else reason,
            live=live,
        )
        return self._state != was

    def at(self, next_at: float | None, heard_at: float, *, live: bool) -> LinkState:
        """At this moment. Monotonic: `next_at` is its next poll, `heard_at` when its session was heard (0: none)."""
        next_ms = now_ms() + int((next_at - time.monotonic()) * 1000) if next_at is not None else 0
        heard_ms = now_ms() - int((time.monotonic() - heard_at) * 1000) if heard_at else self.heard_ms
        return replace(self._state, next_ms=next_ms, heard_ms=heard_ms, live=live)

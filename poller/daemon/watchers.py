"""WHO LOOKS ON: commands that are told over the socket what hosts say by themselves, as it happens.

A command that does not read is let go by the server; it delays neither the daemon nor another command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from poller.control import Caller
from poller.live.document import Shown, document
from poller.model import Seat


class Watchers:
    """`watch` is the handler of the request, `tell` what the main thread calls. Thread-safe.

    `known` gives the names of all hosts; `changed` is called when other hosts are looked at than before; `seats` gives
    how every host that is watched looks now.
    """

    def __init__(
        self, known: Callable[[], Collection[str]], changed: Callable[[], None], seats: Callable[[], Sequence[Seat]]
    ) -> None:
        self._known = known
        self._changed = changed
        self._seats = seats
        self._lock = threading.Lock()
        self._callers: tuple[tuple[Caller, frozenset[str]], ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        """All that somebody looks at."""
        return frozenset().union(*(hosts for _, hosts in self._callers))

    def watch(self, caller: Caller) -> Mapping[str, Any]:
        """Request: `hosts` (names). Items are those of `poller.live.document`, first the seat of each host.

        Lasts until the client goes or the daemon stops. UsageError for a name that the daemon does not know,
        ProtocolError for what is no request.
        """
        hosts = frozenset(caller.hosts(self._known()))
        mine = (caller, hosts)
        with self._lock:
            self._callers = (*self._callers, mine)
        self._changed()
        try:
            for seat in self._seats():
                if seat.host in hosts:
                    caller.send(document(seat))
            caller.wait()
        finally:
            with self._lock:
                self._callers = tuple(other for other in self._callers if other is not mine)
            self._changed()
        return {"stopping": caller.stopping}

    def tell(self, shown: Iterable[Shown]) -> None:
        """Costs nothing while nobody looks."""
        callers = self._callers
        if not callers:
            return
        for one in shown:
            item = document(one)
            for caller, hosts in callers:
                if one.host in hosts:
                    caller.send(item)

"""Polls that a command asked for: begun at once over the sessions that are held, told as each of them is stored.

They belong to the round of the daemon that is going on: nothing tells them from those that were due. A poll that was
under way when the command asked does not count, the one after it does.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from poller.clock import now_ms
from poller.control import Caller
from poller.daemon.account import host_entry
from poller.errors import BusyError, StoreError

if TYPE_CHECKING:
    from poller.intake import Taken
    from poller.model import Config

# Seconds beyond the longest deadline in which some poll must have been stored, or those that lack are given up.
_GRACE: Final = 30.0
# How often it is looked whether the client is still there.
_LOOK: Final = 0.5


class Asked:
    """`poll` is the handler of the request, `taken` what the thread of the journal calls. Thread-safe.

    `config` gives the configuration of now. `poll_now(hosts, at_any_rate)` has those polled, and is called from the
    client's thread. `trouble` says why nothing can be stored, and is empty when it can.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        poll_now: Callable[[Collection[str], bool], None],
        trouble: Callable[[], str] = lambda: "",
    ) -> None:
        self._config = config
        self._poll_now = poll_now
        self._trouble = trouble
        self._lock = threading.Lock()
        self._wishes: tuple[_Wish, ...] = ()

    def poll(self, caller: Caller) -> Mapping[str, Any]:
        """Request: `hosts` (names), `now` (also where logins are refused). Items are entries of the hosts.

        The answer: `round` (the daemon's, of the newest poll), `started_ms`, `finished_ms`, and `missing`: the names
        of hosts of which no poll came in time. UsageError for a name that the daemon does not know, ProtocolError for
        what is no request, StoreError when what was polled cannot be stored.
        """
        now = caller.flag("now")
        known = {host.name: host.poll.deadline for host in self._config().hosts}
        deadlines = {name: known[name] for name in caller.hosts(known)}
        wish = _Wish(deadlines)
        with self._lock:
            self._wishes = (*self._wishes, wish)
        try:
            self._poll_now(tuple(deadlines), now)
            for one in wish.granted(caller, self._trouble):
                caller.deliver(host_entry(one))
        finally:
            with self._lock:
                self._wishes = tuple(other for other in self._wishes if other is not wish)
        if wish.missing and caller.stopping:
            raise BusyError("the daemon is stopping", "ask again when it has started anew")
        return {
            "round": wish.round_id,
            "started_ms": wish.asked_ms,
            "finished_ms": now_ms(),
            "missing": sorted(wish.missing),
        }

    def taken(self, round_id: str, taken: Iterable[Taken]) -> None:
        """Polls that were stored. Costs nothing while nobody waits for any."""
        wishes = self._wishes
        if wishes:
            for one in taken:
                for wish in wishes:
                    wish.grant(round_id, one)


class _Wish:
    """What one client waits for: a poll of each host that began after it asked."""

    def __init__(self, deadlines: Mapping[str, float]) -> None:
        self.asked_ms = now_ms()
        self.round_id = ""
        self.missing = set(deadlines)
        self._deadlines = deadlines
        self._older: set[str] = set()
        self._granted: queue.SimpleQueue[tuple[str, Taken]] = queue.SimpleQueue()

    def grant(self, round_id: str, one: Taken) -> None:
        """A poll was stored. Those that nobody waits for are not kept: a client may be slow to read."""
        if one.poll.host in self.missing:
            self._granted.put((round_id, one))

    def granted(self, caller: Caller, trouble: Callable[[], str]) -> Iterable[Taken]:
        """Until there is one of each host, the client is gone, the daemon stops, or nothing came for too long."""
        patience = max(self._deadlines.values(), default=0.0) + _GRACE
        ends = time.monotonic() + patience
        while self.missing and time.monotonic() < ends and not caller.wait(0):
            try:
                self.round_id, one = self._granted.get(timeout=_LOOK)
                ends = time.monotonic() + patience  # also after one that does not count: the next begins now
            except queue.Empty:
                if trouble():
                    raise StoreError(
                        trouble(), "what was polled waits in the daemon's memory: `poller daemon --status`"
                    ) from None
                continue
            if self._counts(one):
                self.missing.discard(one.poll.host)
                yield one

    def _counts(self, one: Taken) -> bool:
        """The second of a host counts whatever its instant: the clock may have been set back."""
        name = one.poll.host
        if name not in self.missing:
            return False
        if one.poll.at_ms >= self.asked_ms or name in self._older:
            return True
        self._older.add(name)
        return False

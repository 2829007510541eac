"""MAY IT BE ASKED NOW: one poller at a time at each host, and none while the host refuses our logins.

In: a host. Out: its poll, or one that was skipped and says why. `ask` runs in the host's thread, the rest in the one
that owns the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import TracebackType

from poller.errors import BusyError, HostError, StoreError
from poller.model import Before, Deadline, Host, Logins, Poll
from poller.poll import held_off, lacking, poll, skipped
from poller.ssh import Gates
from poller.store import Journal, past
from poller.store.lock import Leases
from poller.store.logins import LoginMemory


class Asking:
    """What the threads of one round share.

    The next poller begins with a host when the poll is stored: so that it knows of a login that was just refused, and
    does not try another. Nothing is kept apart when nothing is kept.
    """

    def __init__(self, journal: Journal, hosts: Sequence[Host], *, keep: bool, at_any_rate: bool) -> None:
        self.hosts = hosts
        self._before = journal.before([host.name for host in hosts])
        self._past = partial(past.before, journal.path)
        self._gates = Gates()
        self._at_any_rate = at_any_rate
        self._leases = Leases(journal.path) if keep else None
        self._logins = LoginMemory(journal.path) if keep else None
        self._to_store: dict[str, str] = {}

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._leases is not None:
            self._leases.close()
        if self._logins is not None:
            self._logins.close()

    def ask(self, host: Host) -> Poll:
        """One poll, or why there was none.

        Who waits for another poller shares the deadline with it. With less than half of it left nothing is tried: that
        failure would be the host's.
        """
        if self._leases is None:
            return self._poll(host, None)
        deadline = Deadline(host.poll.deadline)
        try:
            self._leases.acquire(host.name, deadline)
        except BusyError:
            return skipped(host, HostError("connect", "busy"))
        if deadline.remaining < host.poll.deadline / 2:
            self._leases.release(host.name)
            return skipped(host, HostError("connect", "busy", "it took too long"))
        polled = self._poll(host, deadline)
        if lacking(polled):
            self._leases.release(host.name)  # it may be tried again before anything is stored
        else:
            self._to_store[polled.id] = host.name
        return polled

    def _poll(self, host: Host, deadline: Deadline | None) -> Poll:
        before = self._before.get(host.name, Before())
        refused = None if self._at_any_rate else held_off(host, self._refusals(host, before))
        return refused or poll(host, before, self._gates, deadline, self._past)

    def _refusals(self, host: Host, before: Before) -> Logins:
        """As it stands in the journal now: another poller may have been refused since this round began."""
        if self._logins is None:
            return before.logins
        try:
            return self._logins.of(host.name)
        except StoreError:
            return before.logins  # whatever is wrong with the journal, the thread that owns it will say

    def stored(self, polls: Sequence[Poll]) -> None:
        """Lets others poll these hosts. Not one whose thread was given up: it may still be at work."""
        for one in polls:
            host = self._to_store.pop(one.id, None)
            if host is not None and self._leases is not None:
                self._leases.release(host)

"""MAY IT BE ASKED NOW: one poller at a time at each host, and none while the host refuses our logins.

In: a host. Out: its poll, or one that was skipped and says why. `ask` runs in the host's thread, the rest in the one
that owns the journal. `Admission` has the parts, for a round and for a poller that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from poller.errors import BusyError, HostError, StoreError
from poller.evidence import forgotten
from poller.model import Before, Deadline, Host, Logins, Poll
from poller.poll import held_off, lacking, poll, skipped
from poller.resident import Resident
from poller.ssh import Gates
from poller.store import Journal, past
from poller.store.lock import Leases
from poller.store.logins import LoginMemory


class Admission:
    """What all threads share that ask hosts. `journal` is where the past is; what is not kept leaves nothing there.

    The next poller begins with a host when the poll is stored (`release`): so that it knows of a login that was just
    refused, and does not try another.
    """

    def __init__(self, journal: Path | None, *, keep: bool = True, processes: int = 1) -> None:
        self.gates = Gates(processes=processes)
        self._past = partial(past.before, journal) if journal is not None else forgotten
        kept = journal if keep else None
        self._leases = Leases(kept) if kept is not None else None
        self._logins = LoginMemory(kept) if kept is not None else None

    def ask(
        self, host: Host, before: Before, resident: Resident | None = None, *, at_any_rate: bool = False
    ) -> tuple[Poll, bool]:
        """One poll, or why there was none; and whether the host is ours until `release`.

        Who waits for another poller shares the deadline with it. With less than half of it left nothing is tried: that
        failure would be the host's.
        """
        if self._leases is None:
            return self._poll(host, before, None, resident, at_any_rate), False
        deadline = Deadline(host.poll.deadline)
        try:
            self._leases.acquire(host.name, deadline)
        except BusyError:
            return skipped(host, HostError("connect", "busy")), False
        if deadline.remaining < host.poll.deadline / 2:
            self._leases.release(host.name)
            return skipped(host, HostError("connect", "busy", "it took too long")), False
        try:
            polled = self._poll(host, before, deadline, resident, at_any_rate)
        except BaseException:
            self._leases.release(host.name)
            raise
        if lacking(polled):
            self._leases.release(host.name)  # it may be tried again before anything is stored
        return polled, not lacking(polled)

    def _poll(
        self, host: Host, before: Before, deadline: Deadline | None, resident: Resident | None, at_any_rate: bool
    ) -> Poll:
        free = at_any_rate or (resident is not None and resident.connected)  # no login, nothing to refuse
        refused = None if free else held_off(host, self._refusals(host, before))
        return refused or poll(host, before, self.gates, deadline, self._past, resident)

    def _refusals(self, host: Host, before: Before) -> Logins:
        """As it stands in the journal now: another poller may have been refused since this round began."""
        if self._logins is None:
            return before.logins
        try:
            return self._logins.of(host.name)
        except StoreError:
            return before.logins  # whatever is wrong with the journal, the thread that owns it will say

    def release(self, host: str) -> None:
        """Lets others poll it. Not while a thread that was given up may still be at work there."""
        if self._leases is not None:
            self._leases.release(host)

    def close(self) -> None:
        """Gives back every host."""
        if self._leases is not None:
            self._leases.close()
        if self._logins is not None:
            self._logins.close()


class Asking:
    """What the threads of one round share: `Admission`, and what the journal remembered when the round began."""

    def __init__(self, journal: Journal, hosts: Sequence[Host], *, keep: bool, at_any_rate: bool) -> None:
        self.hosts = hosts
        self._before = journal.before([host.name for host in hosts])
        self._at_any_rate = at_any_rate
        self._admission = Admission(journal.path, keep=keep)
        self._to_store: dict[str, str] = {}

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._admission.close()

    def ask(self, host: Host) -> Poll:
        """One poll, or why there was none."""
        before = self._before.get(host.name, Before())
        polled, ours = self._admission.ask(host, before, at_any_rate=self._at_any_rate)
        if ours:
            self._to_store[polled.id] = host.name
        return polled

    def stored(self, polls: Sequence[Poll]) -> None:
        """Lets others poll these hosts. Not one whose thread was given up: it may still be at work."""
        for one in polls:
            host = self._to_store.pop(one.id, None)
            if host is not None:
                self._admission.release(host)

"""THE HOLD ON ONE HOST: its session between polls. Listened to, watched, lost, and what a poll means for it; each told.

In: the host, its agenda (when it is tried again) and the wishes of others (whether it is watched). Out: pushes and how
the host stands, to the tray. Belongs to the host's thread, but for `state` and `abort`.
"""

from __future__ import annotations

import time
from typing import Final

from poller.errors import HostError
from poller.fleet import meaning
from poller.fleet.agenda import Agenda
from poller.fleet.standing import CROWDED, Standing
from poller.fleet.tray import Tray
from poller.fleet.wishes import Wishes
from poller.model import Host, Link, LinkState, Poll, Push
from poller.resident import Resident
from poller.ssh import Gates

# A host that is watched says something each second; after so many seconds without it the session is lost.
SILENCE: Final = 5.0
# And then the host is dialled for so many seconds at a time: it may answer at any moment, and the kernel asks after
# 1, 3, 7, 15 s and so on, which finds a host that came back after 16 s half a minute after it was given up.
DIAL: Final = 4.0


class Holding:
    """`host` as it is polled now, in the session of `resident`."""

    __slots__ = ("_agenda", "_fits", "_gates", "_standing", "_tray", "_wishes", "host", "pushed_ms", "resident")

    def __init__(self, host: Host, agenda: Agenda, wishes: Wishes, tray: Tray, gates: Gates, *, fits: bool) -> None:
        """`fits`: there are enough open files to hold its session."""
        self.host = host
        self._agenda = agenda
        self._wishes = wishes
        self._tray = tray
        self._gates = gates
        self._fits = fits
        self.pushed_ms = 0  # when the host said anything by itself for the last time, 0 never
        self.resident = Resident(host, gates, stays=self._holds)
        self._standing = Standing(host, self._idle, reason="" if fits else CROWDED, live=wishes.live)

    @property
    def _holds(self) -> bool:
        return self._fits and not self.host.cold and self.host.via == "ssh"

    @property
    def _idle(self) -> Link:
        """How it stands before it is polled."""
        return Link.WAITING if self._holds else Link.COLD

    @property
    def connected(self) -> bool:
        return self.resident.connected

    def state(self) -> LinkState:
        """How the host stands at this moment."""
        planned = self._agenda.next
        return self._standing.at(planned.at if planned else None, self.resident.heard_at, live=self._wishes.live)

    def abort(self) -> None:
        """Breaks the connection under the poll that is going on."""
        self.resident.abort()

    def close(self) -> None:
        self.resident.close()

    # What others want

    def adopt(self, host: Host) -> None:
        """The host is configured like this from now on."""
        was, self.host = self.host, host
        self._agenda.change(host.poll.interval)
        if meaning.reached(host) != meaning.reached(was):
            self._renew()
        else:
            self.resident.adopt(host)
            self._reconnect()

    def fit(self, *, fits: bool) -> None:
        """Whether there are enough open files to hold it, from now on."""
        if fits != self._fits:
            self._fits = fits
            self._renew("" if fits else CROWDED)

    def _renew(self, reason: str | None = None) -> None:
        """The session, if there is one, is not what is wanted now."""
        self.resident.close()
        self.resident = Resident(self.host, self._gates, stays=self._holds)
        self._tell(self._idle, reason)
        self._reconnect()

    def _reconnect(self) -> None:
        """Who watches it does not wait until it is due."""
        if self._wishes.live and self._holds and not self.connected:
            self._agenda.soon()
            if self._agenda.next is not None:
                self.plan()

    def hasten(self) -> None:
        """Somebody began to watch it: a host that is away is tried now."""
        if self._standing.link is Link.LOST:
            self._agenda.hasten()

    def turn_watch(self) -> None:
        """The probe pushes while somebody watches, and only then."""
        if not (self.connected and self._holds) or self._wishes.live == self.resident.watching:
            return
        try:
            if self._wishes.live:
                self.resident.watch(self._hear)
            else:
                self.resident.unwatch()
            self._tell(self._standing.link)
        except HostError:
            self.lost()

    def _hear(self, push: Push) -> None:
        self.pushed_ms = self._standing.heard_ms = push.at_ms
        self._tray.push(push)

    # Between two polls

    def plan(self) -> None:
        """When the next one is."""
        self._agenda.plan(holds=self._holds, live=self._wishes.live)

    def listen(self, seconds: float) -> None:
        """Waits so long (inf: for ever), or until the bell of the wishes rings; meanwhile hears the host."""
        resident, bell = self.resident, self._wishes.bell
        if not resident.connected:
            bell.wait(seconds)
            return
        if resident.watching:
            seconds = min(seconds, resident.heard_at + SILENCE - time.monotonic())
        try:
            resident.listen(seconds, bell.fd)
        except HostError:
            self.lost()
            return
        if resident.watching and time.monotonic() - resident.heard_at >= SILENCE:
            resident.close(HostError("probe", "timeout", f"nothing was heard for {SILENCE:g} s"))
            self.lost()

    def lost(self) -> None:
        """The session has ended while nobody asked: it is tried again soon."""
        self._agenda.lost()
        self._tell(Link.LOST, self.resident.lost)
        if self._agenda.next is not None and not self._agenda.due:
            self.plan()

    # Polls

    def begin(self) -> None:
        """One does. Whoever watches a host that is away wants it back soon after it answers."""
        self._agenda.begin()
        self.resident.dial = DIAL if self._wishes.live else None

    def settle(self, polled: Poll, *, held: bool) -> None:
        """What it means for how the host stands. `held`: there was a session before."""
        resident, agenda, live = self.resident, self._agenda, self._wishes.live
        answered = meaning.answered(polled)
        spent = answered and self._spend()
        if answered:
            self._standing.heard_ms = polled.answered_ms or polled.at_ms
        agenda.settle(polled, held=held, connected=resident.connected, live=live)
        reason = None if answered else f"{polled.stage}/{polled.code}: {polled.error}"
        if not self._holds:
            self._tell(Link.COLD, reason)
        elif resident.connected:
            anew = held and resident.connected_at >= agenda.began  # it broke under the poll, which went on
            self._tell(Link.CONNECTED, resident.lost if anew else None, anew=anew)
        else:
            self._tell(Link.LOST, reason or resident.lost)
        if spent and live:
            agenda.lost()

    def _spend(self) -> bool:
        """Ends a session whose answer was read after the deadline, which ends it at any moment, if it has not already.

        The poller stood still, the host did nothing: nobody but who watches it needs another one before it is due.
        """
        overran = self.connected and self._agenda.overran(self.host.poll.deadline)
        if overran:
            self.resident.close(HostError("probe", "timeout", "its answer was read after the deadline"))
        return overran

    def _tell(self, link: Link, reason: str | None = None, *, anew: bool = False) -> None:
        """Says how the host stands, where that is new."""
        if self._standing.turn(link, reason, tries=self._agenda.tries, live=self._wishes.live, anew=anew):
            self._tray.link(self.state())

"""Pushes, polls and states of links, in the order in which they come -> what is shown, and what is stored when."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from poller.clock import now_ms
from poller.findings.scope import Scope
from poller.intake import Taken, new_id
from poller.live.absence import Absence, renewed
from poller.live.difference import Difference, difference, newest, only_live
from poller.live.fold import WINDOW
from poller.live.seats import Seats
from poller.model import Config, Link, LinkState, Poll, Push, Reading, Seat, Sighted
from poller.noticing.storing import Storing
from poller.noticing.watched import Watched
from poller.store import Journal

# Contacts that may wait for a journal that cannot be written; beyond it the oldest are lost.
_MOST_WAITING: Final = 5_000
# Seconds between two transactions for what is whole: each is an fsync, for which pushes wait that come meanwhile.
_BREATH: Final = 0.5
# Readings of one host that may wait for its first poll.
_MOST_EARLY: Final = 8


class Noticing:
    """`journal` may be replaced by another connection. Nothing here raises StoreError: `trouble` says what is wrong,
    and what could not be stored is tried again.
    """

    def __init__(self, journal: Journal, config: Config, new_id: Callable[[], str] = new_id) -> None:
        self._storing = Storing(journal, config)
        self._new_id = new_id
        self._hosts = {host.name: host for host in config.hosts}
        self._watched: dict[str, Watched] = {}
        self._met: list[tuple[float, str, Sighted]] = []
        self._seats = Seats()
        self._links: dict[str, LinkState] = {}

    @property
    def journal(self) -> Journal:
        return self._storing.journal

    @journal.setter
    def journal(self, journal: Journal) -> None:
        self._storing.journal = journal

    @property
    def trouble(self) -> str:
        """Why the journal could not be written the last time; "" when it could."""
        return self._storing.trouble

    def change(self, config: Config) -> None:
        """These are the hosts from now on, and what they are judged by."""
        self._storing.config = config
        self._hosts = {host.name: host for host in config.hosts}
        self._links = {name: state for name, state in self._links.items() if name in self._hosts}
        for name, one in tuple(self._watched.items()):
            host = self._hosts.get(name)
            if host is None:
                del self._watched[name]
            elif host != one.host:
                one.adopt(host)

    def watch(self, hosts: Collection[str]) -> None:
        """Exactly these are watched live from now on: their silence means something."""
        for name in self._seats.expect(hosts, now_ms()):
            if name in self._links:
                self._seats.linked(self._links[name], time.monotonic())
        for name, one in self._watched.items():
            if name not in hosts:
                one.heard_ms, one.absence = 0, None

    def take(
        self,
        pushes: Sequence[Push],
        polls: Sequence[Poll] = (),
        links: Sequence[LinkState] = (),
        now: float | None = None,
    ) -> tuple[Sighted, ...]:
        """What is shown at once. To be called before the polls are stored: what came before them is stored first."""
        at = time.monotonic() if now is None else now
        sighted: list[Sighted] = []
        for state in links:
            self._link(state, at)
        for push in pushes:
            sighted += self._push(push, at)
        for poll in polls:
            sighted += self._precede(poll, at)
        return tuple(sighted)

    def stored(self, taken: Iterable[Taken], now: float | None = None) -> tuple[Sighted, ...]:
        """Events that polls brought, for the screen; and that a host is back, why, and what was missed meanwhile."""
        at = time.monotonic() if now is None else now
        sighted: list[Sighted] = []
        for one in taken:
            host = one.poll.host
            sighted += [Sighted(self._new_id(), host, event, stored=True) for event in one.events]
            watched = self._watched.get(host)
            if watched is None:
                continue
            if one.poll.report is not None:
                watched.scope = None
                early, watched.early = watched.early, []
                for push in early:
                    sighted += self._read(watched, push, at)
            sighted += self._ended(watched, one)
        return tuple(sighted)

    def due(self, now: float | None = None) -> tuple[Sighted, ...]:
        """Stores what is whole. The same sightings once more, now as stored; and what was announced in vain."""
        at = time.monotonic() if now is None else now
        unread = tuple(one for watched in self._watched.values() for one in watched.fold.unread(at))
        if at < self._storing.not_before:
            return unread
        whole = {name: one.fold.whole(at) for name, one in self._watched.items() if one.fold}
        met = [sighted for began, _, sighted in self._met if began + WINDOW <= at]
        stored = self._store({name: some for name, some in whole.items() if some}, met)
        if stored:
            self._storing.not_before = at + _BREATH
        return unread + stored

    def next(self, now: float | None = None) -> float:
        """Seconds until `due` or `seats` have something to do; infinite when nothing is going on."""
        at = time.monotonic() if now is None else now
        whole = min((one.fold.next for one in self._watched.values() if one.fold), default=math.inf)
        met = self._met[0][0] + WINDOW if self._met else math.inf
        return max(0.0, min(max(min(whole, met), self._storing.not_before), self._seats.next(at)) - at)

    def seats(self, now: float | None = None) -> tuple[Seat, ...]:
        """Hosts that look another way than they did the last time."""
        return self._seats.look(time.monotonic() if now is None else now, now_ms())

    @property
    def all_seats(self) -> tuple[Seat, ...]:
        """How every host that is watched looks."""
        return self._seats.all

    def _of(self, name: str) -> Watched | None:
        """None for a host that left the configuration while it was saying something."""
        one = self._watched.get(name)
        host = self._hosts.get(name)
        if one is None and host is not None:
            one = self._watched[name] = Watched.of(host, self._new_id)
        return one

    def _link(self, state: LinkState, now: float) -> None:
        anew = renewed(self._links.get(state.host), state)
        self._links[state.host] = state
        self._seats.linked(state, now, anew=anew)
        one = self._watched.get(state.host)
        if one is None:
            return
        if one.heard_ms and one.absence is None and (anew or state.link is Link.LOST):
            one.absence = Absence(one.heard_ms, state.reason)
        if one.absence is not None:
            one.absence = replace(one.absence, over=state.link is not Link.LOST)

    def _push(self, push: Push, now: float) -> list[Sighted]:
        one = self._of(push.host)
        if one is None:
            return []
        one.heard_ms = push.at_ms
        self._seats.heard(push.host, push.coverage, now)
        sighted = [line for hint in push.hints if (line := one.fold.hint(hint, push.at_ms, now))]
        if push.reading is not None:
            sighted += self._read(one, push, now)
        if push.encounters:
            sighted += self._meet(one, push, now)
        return sighted

    def _read(self, one: Watched, push: Push, now: float) -> list[Sighted]:
        """What changed since it was read before. What cannot be compared yet waits for the poll that it belongs to."""
        if push.reading is None:
            return []
        known = one.known or self._remembered(one.host.name)
        if known is None or known.boot_id != push.reading.boot_id:
            one.early = [*one.early[-_MOST_EARLY:], push]
            return []
        found = difference(known, push.reading, one.host.watch)
        return self._found(one, found, push.reading, push.at_ms, now)

    def _found(self, one: Watched, found: Difference, reading: Reading, at_ms: int, now: float) -> list[Sighted]:
        stored: tuple[Sighted, ...] = ()
        if one.fold.contradicts(found.told):
            stored = self._store({one.host.name: one.fold.whole()})
        sighted = one.fold.take(found, at_ms, now)
        if one.fold.whole():
            one.known, one.fresh = found.reading, newest(one.fresh, reading)
        return [*stored, *sighted]

    def _remembered(self, host: str) -> Reading | None:
        before = self._storing.remembered(host)
        return before.reading if before else None

    def _meet(self, one: Watched, push: Push, now: float) -> list[Sighted]:
        if one.scope is None:
            known = self._remembered(one.host.name)
            if known is None:
                return []
            one.scope = Scope.of(None, known, one.host.watch)
        met = one.contacts.take(push.encounters, one.scope, push.at_ms, now)
        self._met += [(now, one.host.name, each.sighted) for each in met if each.told and each.first]
        del self._met[:-_MOST_WAITING]
        return [each.sighted for each in met]

    def _precede(self, poll: Poll, now: float) -> list[Sighted]:
        """A poll is about to be stored: what it saw of an insertion goes into that event, and the event is stored."""
        one = self._watched.get(poll.host)
        if one is None or poll.report is None:
            return []
        sighted: list[Sighted] = []
        if one.known is not None and one.fold.whole():
            reading = only_live(poll.report.now)
            found = difference(one.known, reading, one.host.watch)
            sighted += self._found(one, found, reading, poll.at_ms, now)
            sighted += self._store({poll.host: one.fold.whole()})
        if one.absence is not None and one.absence.ended_by(poll):
            self._recall(one, one.absence)
        return sighted

    def _recall(self, one: Watched, absence: Absence) -> None:
        """What was remembered before this poll tells why it was away."""
        before = self._storing.remembered(one.host.name)
        if before is not None:
            one.absence = replace(absence, before=before)

    def _ended(self, one: Watched, taken: Taken) -> tuple[Sighted, ...]:
        absence = one.absence
        if absence is None or not absence.ended_by(taken.poll):
            return ()
        self._seats.returned(one.host.name, absence.words(taken.poll))
        event = absence.event(taken.poll, taken.events, one.host.watch)
        stored = self._store({one.host.name: (Sighted(self._new_id(), one.host.name, event, stored=True),)})
        if stored:
            one.absence = None
        return stored

    def _store(self, whole: Mapping[str, Sequence[Sighted]], met: Sequence[Sighted] = ()) -> tuple[Sighted, ...]:
        """In one transaction; nothing of it when that fails, and it is tried again."""
        by_host: dict[str, list[Sighted]] = {name: list(some) for name, some in whole.items()}
        for sighted in met:
            one = self._watched.get(sighted.host)
            event = one.contacts.newest(sighted.id) if one else None
            newer = Sighted(sighted.id, sighted.host, event or sighted.event, stored=True)
            by_host.setdefault(sighted.host, []).append(newer)
        if not by_host or not self._storing.store(by_host, self._watched):
            return ()
        for name, some in by_host.items():
            self._forget(name, {sighted.id for sighted in some})
        return tuple(sighted for some in by_host.values() for sighted in some)

    def _forget(self, name: str, ids: Collection[str]) -> None:
        """These are stored."""
        self._met = [each for each in self._met if each[2].id not in ids]
        one = self._watched.get(name)
        if one is not None:
            one.fold.drop(ids)
            if not one.fold.whole():
                one.known = one.fresh = None

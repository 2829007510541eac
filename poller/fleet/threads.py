"""The engine of one process: a thread for each host, which is the only one that ever speaks with it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from poller.asking import Admission
from poller.fleet import pace
from poller.fleet.keeper import Keeper, Yard
from poller.fleet.places import Places
from poller.fleet.room import Room
from poller.fleet.tray import LINGER, Tray
from poller.model import Arrivals, Before, Config, Host, LinkState
from poller.poll import overdue, unable
from poller.ssh import affordable

# Bytes of address space for each thread. What a poll needs of it is a tenth (measured); the default is 8 MiB.
_STACK: Final = 512 * 1024
_M_ARENA_MAX: Final = -8  # malloc.h
# So often it is looked for hosts that are overdue or have no thread yet, while nothing else happens.
_LOOK: Final = 5.0
# Of the shortest interval that a finished poll may wait for others.
_SHARE: Final = 0.05
# After the polls' own time has passed their connections are broken; what then still hangs is left behind.
LAST_SECONDS: Final = 1.5
_NEW: Final = Before()


class Threads:
    """See `Engine`. Of `config` only the journal, where leases and refused logins are, `at_once`, and `processes` are
    used: as one of so many it has its share of the logins at one target.

    The journal must be there. `linger`: seconds that polls wait for company.
    """

    def __init__(self, config: Config, *, linger: float = LINGER) -> None:
        self._at_once = affordable(config.at_once)
        self._linger = linger
        self._yard = Yard(
            Admission(config.journal, processes=config.processes), Places(self._at_once), Tray(linger), self._gone
        )
        self._hosts: dict[str, Host] = {}
        self._keepers: dict[str, Keeper] = {}
        self._threads: dict[Keeper, threading.Thread] = {}
        self._without: dict[str, tuple[Before, float]] = {}
        self._room = Room(self._at_once)
        self._watched: frozenset[str] | None = None
        self._stopped = False

    # Hosts

    def start(self, hosts: Sequence[Host], befores: Mapping[str, Before]) -> None:
        _share_memory()
        now = time.monotonic()
        self._hosts = {host.name: host for host in hosts}
        self._pace_tray()
        self._begin([(host, befores.get(host.name, _NEW)) for host in hosts], now)

    def change(self, hosts: Sequence[Host], befores: Mapping[str, Before]) -> None:
        was, self._hosts = self._hosts, {host.name: host for host in hosts}
        self._pace_tray()
        for name in was.keys() - self._hosts.keys():
            self._without.pop(name, None)
            keeper = self._keepers.pop(name, None)
            if keeper is not None:
                keeper.end(dropped=True)
        for name, host in self._hosts.items():
            if name in was and host != was[name] and name in self._keepers:
                self._keepers[name].wishes.change(host)
        new = [(host, befores.get(host.name, _NEW)) for host in hosts if host.name not in was]
        self._begin(new, time.monotonic())

    def _pace_tray(self) -> None:
        """Polls wait for company only so long that no host is polled late by it."""
        shortest = min((host.poll.interval for host in self._hosts.values()), default=math.inf)
        self._yard.tray.linger = min(self._linger, _SHARE * shortest)

    def _begin(self, hosts: Sequence[tuple[Host, Before]], now: float) -> None:
        self._fit()
        with _small_stacks():
            for host, before in hosts:
                first = pace.first(host.name, now, host.poll.interval, len(hosts))
                self._begin_one(host, before, first)

    def _fit(self) -> None:
        """Whoever there are enough open files for by now is held, others are no more."""
        for name in self._room.reckon(self._hosts.values()) & self._keepers.keys():
            self._keepers[name].wishes.fit(fits=self._room.has(self._hosts[name]))

    def _begin_one(self, host: Host, before: Before, first: float | None) -> None:
        """A thread for this host; when there is none to be had, a poll that says so, and another try soon."""
        live = host.live if self._watched is None else host.name in self._watched
        try:
            keeper = Keeper(host, before, self._yard, first, fits=self._room.has(host), live=live)
            thread = threading.Thread(target=keeper.run, name=f"host {host.name}", daemon=True)
            self._threads[keeper] = thread
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                self._threads.pop(keeper, None)
                keeper.close()
                raise
        except (OSError, RuntimeError, MemoryError):
            self._yard.tray.poll(unable(host))
            self._without[host.name] = before, time.monotonic() + min(host.poll.interval, 60.0)
            return
        self._without.pop(host.name, None)
        self._keepers[host.name] = keeper

    def _gone(self, keeper: Keeper) -> None:
        self._threads.pop(keeper, None)

    # What is asked of them

    def know(self, befores: Mapping[str, Before]) -> None:
        for name, before in befores.items():
            keeper = self._keepers.get(name)
            if keeper is not None:
                keeper.know(before)
            elif name in self._without:
                self._without[name] = before, self._without[name][1]
        if self._stopped and not any(keeper.waits for keeper in self._keepers.values()):
            self._yard.admission.close()

    def poll_now(self, hosts: Collection[str], *, at_any_rate: bool = False) -> None:
        for name in hosts:
            keeper = self._keepers.get(name)
            if keeper is not None:
                keeper.wishes.poll_now(at_any_rate=at_any_rate)

    def watch(self, hosts: Collection[str]) -> None:
        self._watched = frozenset(hosts)
        for name, keeper in self._keepers.items():
            keeper.wishes.watch(live=name in self._watched)

    # What comes of it

    def take(self, seconds: float, most: int = 200, wake: int = -1) -> Arrivals:
        """See `Engine.take`. It ends as well when the descriptor `wake` is readable, and after `ring`."""
        until = time.monotonic() + seconds
        tray = self._yard.tray
        while True:
            look_at = min(time.monotonic() + _LOOK, self._yard.places.next_overdue)
            arrivals = tray.take(min(until, look_at), most, wake)
            self._replace()
            self._try_again()
            if arrivals.polls or arrivals.pushes or arrivals.links or tray.woken or time.monotonic() >= until:
                return arrivals

    def ring(self) -> None:
        """Ends a `take` that waits, or the next one. For other threads."""
        self._yard.tray.ring()

    def _replace(self) -> None:
        """Gives up threads that did not come back in time. Their hosts get others, as soon as that is stored."""
        for late in self._yard.places.overdue():
            assert isinstance(late, Keeper)  # noqa: S101 - nobody else takes a place
            name = late.host.name
            host = self._hosts.get(name)
            if host is not None and self._keepers.get(name) is late:
                late.end()
                self._yard.tray.poll(overdue(host))
                with _small_stacks():
                    self._begin_one(host, late.before, None)

    def _try_again(self) -> None:
        """Hosts for which there was no thread, or no file."""
        if self._room.due:
            self._fit()
        now = time.monotonic()
        late = [(name, before) for name, (before, at) in self._without.items() if at <= now]
        with _small_stacks():
            for name, before in late:
                self._begin_one(self._hosts[name], before, now)

    def links(self) -> Mapping[str, LinkState]:
        return {name: keeper.state() for name, keeper in self._keepers.items()}

    # The end

    def stop(self, seconds: float) -> Arrivals:
        self._stopped = True
        until = time.monotonic() + seconds
        self._yard.places.close()
        for keeper in list(self._threads):
            keeper.end()
        self._join(until)
        for keeper in list(self._threads):
            keeper.wishes.end(dropped=True)  # what fails from here on is our doing, not the host's
            keeper.abort()
        self._join(time.monotonic() + LAST_SECONDS)
        arrivals = self._yard.tray.rest()
        self._yard.tray.close()
        self.know({})
        return arrivals

    def _join(self, until: float) -> None:
        for thread in list(self._threads.values()):
            thread.join(max(0.0, until - time.monotonic()))


@contextmanager
def _small_stacks() -> Iterator[None]:
    usual = threading.stack_size(_STACK)
    try:
        yield
    finally:
        threading.stack_size(usual)


def _share_memory() -> None:
    """glibc gives threads up to eight heaps per core, each with its own holes: half of what a held host costs.

    One thread runs at a time anyway, so two heaps are enough (mallopt(3), M_ARENA_MAX). Elsewhere nothing is done.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)

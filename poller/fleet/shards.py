"""THE ENGINE OF SEVERAL PROCESSES: each polls its share of the hosts, one intake takes what they bring.

A host has the same worker for as long as there are so many: by a hash of its name. A worker that dies is replaced, at
once the first time and later and later when it dies again and again; polls that it had under way are missing, which is
logged, and told as an event of the poller. Nothing of one worker delays another.
"""

from __future__ import annotations

import hashlib
import logging
import math
import select
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from poller.clock import now_ms
from poller.errors import StoreError
from poller.fleet.parcel import Said
from poller.fleet.shard import Shard
from poller.fleet.tray import LINGER
from poller.model import Arrivals, Before, Config, Event, Host, Link, LinkState, Poll, Push, Severity

_log = logging.getLogger(__name__)
# Seconds beyond those that polls have to finish, for a worker to close its connections and tell what has finished:
# more than its threads take for what hangs (`threads.LAST_SECONDS`).
_GRACE: Final = 2.5
# Of the shortest interval that a finished poll may wait for others.
_SHARE: Final = 0.2


def shard_of(host: str, processes: int) -> int:
    """Which of them polls it: always the same for one name."""
    digest = hashlib.blake2b(host.encode("utf-8", "surrogateescape"), digest_size=8, person=b"shard").digest()
    return int.from_bytes(digest, "big") % processes


class Shards:
    """An `Engine`. `on_loss` is called with an event of the poller when a worker has died, by the thread of `take`."""

    def __init__(self, config: Config, on_loss: Callable[[Event], None] = lambda event: None) -> None:
        self._journal = config.journal
        self._on_loss = on_loss
        self._shards = [Shard(config, config.processes) for _ in range(config.processes)]
        self._links: dict[str, LinkState] = {}
        self._polls: deque[Poll] = deque()
        self._ripe = math.inf
        self._linger = LINGER
        self._wanted: set[str] = set()
        self._seen: dict[str, int] = {}
        self._pushes: list[Push] = []
        self._changed: dict[str, LinkState] = {}

    def start(self, hosts: Sequence[Host], befores: Mapping[str, Before]) -> None:
        self._expect(hosts)
        for shard, share in zip(self._shards, self._shares(hosts), strict=True):
            shard.hosts = {host.name: host for host in share}
            self._begin(shard, befores)

    def change(self, hosts: Sequence[Host], befores: Mapping[str, Before]) -> None:
        names = {host.name for host in hosts}
        self._links = {name: state for name, state in self._links.items() if name in names}
        self._expect(hosts)
        self._changed = {name: state for name, state in self._changed.items() if name in names}
        self._seen = {name: at_ms for name, at_ms in self._seen.items() if name in names}
        self._wanted &= names
        for shard, share in zip(self._shards, self._shares(hosts), strict=True):
            mine = {host.name for host in share}
            shard.change(share, {name: before for name, before in befores.items() if name in mine})

    def _expect(self, hosts: Sequence[Host]) -> None:
        """Hosts of which nothing was heard yet; and how long polls may wait for company, so that none is late by it."""
        self._linger = min(LINGER, *(_SHARE * host.poll.interval for host in hosts)) if hosts else LINGER
        for host in hosts:
            link = Link.COLD if host.cold or host.via == "ping" else Link.WAITING
            self._links.setdefault(host.name, LinkState(host.name, link, now_ms(), live=host.live))

    @property
    def workers(self) -> tuple[int, ...]:
        """The numbers of the processes that live."""
        return tuple(shard.number for shard in self._shards if shard.number)

    def know(self, befores: Mapping[str, Before]) -> None:
        for shard, names in self._by_shard(befores):
            shard.know({name: befores[name] for name in names})

    def poll_now(self, hosts: Collection[str], *, at_any_rate: bool = False) -> None:
        self._wanted.update(hosts)
        for shard, names in self._by_shard(hosts):
            shard.poll_now(names, at_any_rate=at_any_rate)

    def watch(self, hosts: Collection[str]) -> None:
        for number, shard in enumerate(self._shards):
            shard.watch({name for name in hosts if shard_of(name, len(self._shards)) == number})

    def take(self, seconds: float, most: int = 200) -> Arrivals:
        deadline = time.monotonic() + seconds
        self._gather(0.0)
        self._replace()
        while not self._ready(most) and (left := min(deadline, self._ripe) - time.monotonic()) > 0:
            self._gather(min(left, self._next_begin()))
            self._replace()
        return self._handed(most if self._ready(most) else 0)

    def links(self) -> Mapping[str, LinkState]:
        return {name: self._as_of_now(state) for name, state in self._links.items()}

    def _as_of_now(self, state: LinkState) -> LinkState:
        """Its worker told how the host stands when that changed last; what came since is known here."""
        return replace(state, heard_ms=max(state.heard_ms, self._seen.get(state.host, 0)))

    def stop(self, seconds: float) -> Arrivals:
        for shard in self._shards:
            shard.stop(seconds)
        deadline = time.monotonic() + seconds + _GRACE
        while any(shard.post for shard in self._shards) and (left := deadline - time.monotonic()) > 0:
            self._gather(left, ending=True)
        for shard in self._shards:
            shard.end()
        return self._handed(len(self._polls))

    def _shares(self, hosts: Iterable[Host]) -> list[list[Host]]:
        shares: list[list[Host]] = [[] for _ in self._shards]
        for host in hosts:
            shares[shard_of(host.name, len(shares))].append(host)
        return shares

    def _by_shard(self, names: Iterable[str]) -> Iterable[tuple[Shard, list[str]]]:
        shares: list[list[str]] = [[] for _ in self._shards]
        for name in names:
            shares[shard_of(name, len(shares))].append(name)
        return [(shard, share) for shard, share in zip(self._shards, shares, strict=True) if share]

    def _ready(self, most: int) -> bool:
        """Polls wait for company a moment, unless somebody waits for one of them."""
        ripe = len(self._polls) >= most or time.monotonic() >= self._ripe
        return bool(self._pushes or self._changed or ripe)

    def _handed(self, most: int) -> Arrivals:
        polls = tuple(self._polls.popleft() for _ in range(min(most, len(self._polls))))
        arrivals = Arrivals(polls, tuple(self._pushes), tuple(self._changed.values()))
        self._pushes.clear()
        self._changed.clear()
        if not self._polls:
            self._ripe = math.inf
        return arrivals

    def _gather(self, seconds: float, *, ending: bool = False) -> None:
        """Waits for the first of the workers, and takes what all of them have told."""
        waiting = select.poll()
        at = {shard.post.fileno(): shard for shard in self._shards if shard.post is not None}
        for number, shard in at.items():
            writes = shard.post is not None and shard.post.waiting
            waiting.register(number, select.POLLIN | (select.POLLOUT if writes else 0))
        for number, events in waiting.poll(max(0, round(1000 * seconds + 0.5))):
            shard = at[number]
            if shard.post is not None and events & select.POLLOUT:
                shard.post.flush()
            if events & ~select.POLLOUT:
                self._hear(shard, ending=ending)

    def _hear(self, shard: Shard, *, ending: bool) -> None:
        try:
            for told in shard.receive():
                if isinstance(told, Arrivals):
                    self._arrived(told)
                elif isinstance(told, Said):
                    logging.getLogger(told.name).log(told.level, "%s", told.text)
        except EOFError:
            if ending:
                shard.end()
            else:
                self._lost(shard)

    def _arrived(self, arrivals: Arrivals) -> None:
        for poll in arrivals.polls:
            self._polls.append(poll)
            if poll.host in self._wanted:
                self._wanted.discard(poll.host)
                self._ripe = 0.0
            self._seen[poll.host] = max(poll.answered_ms, self._seen.get(poll.host, 0))
        if arrivals.polls:
            self._ripe = min(self._ripe, time.monotonic() + self._linger)
        for push in arrivals.pushes:
            self._pushes.append(push)
            self._seen[push.host] = push.at_ms
        for state in arrivals.links:
            if state.host in self._links:  # it may have left the configuration meanwhile
                self._links[state.host] = self._changed[state.host] = state

    def _lost(self, shard: Shard) -> None:
        """Its worker is dead, and with it the sessions that it held. Who is held by nobody has lost nothing."""
        number = shard.number
        words = f"the worker process {number} {shard.bury()}"
        count = len(shard.hosts)
        sentence = f"{words}: polls that it had under way are missing; its {count} hosts get another"
        _log.warning("%s", sentence)
        at_ms = now_ms()
        for name in shard.hosts:
            before = self._links[name]
            if before.link is not Link.COLD:
                lost = replace(before, link=Link.LOST, since_ms=at_ms, reason=words)
                self._links[name] = self._changed[name] = lost
        self._on_loss(Event("gap", at_ms, Severity.MEDIUM, sentence))

    def _next_begin(self) -> float:
        """Seconds until a worker is to be begun; no more than one while there is nothing to begin."""
        now = time.monotonic()
        return min((max(0.0, shard.begin_at - now) for shard in self._shards if shard.post is None), default=1.0)

    def _replace(self) -> None:
        """Begins workers for those that died, and ends those that hang."""
        for shard in self._shards:
            if shard.hangs():
                _log.warning("the worker process %d gives no sign of life: it is killed", shard.number)
                shard.kill()
            elif shard.post is None and time.monotonic() >= shard.begin_at:
                self._begin(shard, self._recalled(shard.hosts))

    def _begin(self, shard: Shard, befores: Mapping[str, Before]) -> None:
        try:
            shard.begin({name: befores[name] for name in shard.hosts if name in befores})
        except OSError as error:
            _log.warning("no worker process can be started: %s", error.strerror or error)
            shard.put_off()

    def _recalled(self, hosts: Collection[str]) -> Mapping[str, Before]:
        """As the journal has it. When it cannot be read, hosts are asked as if for the first time."""
        from poller.store.database import reading
        from poller.store.memory import Recall

        try:
            with reading(self._journal) as connection:
                recall = Recall(connection)
                return {name: recall.ahead(name) for name in hosts}
        except StoreError as error:
            _log.warning("%s", error.sentence)
            return {}

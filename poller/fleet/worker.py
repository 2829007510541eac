"""ONE WORKER PROCESS of a daemon that has several: polls its share of the hosts with an engine of its own.

    python -m poller.fleet.worker NUMBER        NUMBER: the inherited end of a socketpair

In: orders, which are calls of the engine. Out: its arrivals, a sign of life, and what it has to log. It stores nothing
but leases and refused logins, as every poller that shares the journal. It ends when its master does: at the end of the
socket. Signals are the master's affair, which a terminal or systemd sends to all processes of a service.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from poller.fleet.parcel import Beat, Order, Post, Said
from poller.model import Arrivals, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from poller.fleet.threads import Threads
    from poller.model import Before, Config, Host

# Seconds that polls wait for others here. They wait for company at the master, once.
_LINGER: Final = 0.1
# Seconds between two signs of life. Between those nothing wakes it but an order, an arrival, or something to log.
_BEAT: Final = 5.0
# Seconds in which everything is closed once the master is gone, or else it is left to the kernel.
_END: Final = 5.0
# What is logged faster than it can be sent is left out.
_MOST_SAID: Final = 1_000
# Objects that may hold others, made and not yet dropped, between two looks for garbage.
_COLLECT_EVERY: Final = 5_000
_ORDERS: Final = frozenset({"change", "know", "poll_now", "watch"})


class Worker:
    """Until the order `stop`, or the end of the master."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        self._beat_at = 0.0
        self._engine: Threads | None = None
        self._stopped = False

    def run(self) -> None:
        try:
            while not self._stopped:
                if self._engine is None or self._post.waiting:
                    self._wait()
                else:
                    self._pass_on(self._engine)
                for order in self._post.receive():
                    self._obey(order)
                self._tell()
            self._finish()
        except EOFError:
            _end_soon()
            if self._engine is not None:
                self._engine.stop(0.0)

    def _pass_on(self, engine: Threads) -> None:
        """What comes next, once something does."""
        arrivals = engine.take(max(0.0, self._beat_at - time.monotonic()), wake=self._post.fileno())
        if arrivals.polls or arrivals.pushes or arrivals.links:
            self._post.put(arrivals)

    def _wait(self) -> None:
        """For an order, or until what was told has been taken: a master that is slow has more and more waiting."""
        waiting = select.poll()
        waiting.register(self._post.fileno(), select.POLLIN | (select.POLLOUT if self._post.waiting else 0))
        waiting.poll(1000 * _BEAT)
        self._post.flush()

    def _tell(self) -> None:
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + _BEAT
            self._post.put(Beat())
        while not self._said.empty():
            self._post.put(self._said.get_nowait())

    def _obey(self, order: Order) -> None:
        if order.name == "start":
            self._start(*order.values)
        elif order.name == "stop" and self._engine is not None:
            self._post.put(self._engine.stop(*order.values))
            self._stopped = True
        elif order.name in _ORDERS and self._engine is not None:
            getattr(self._engine, order.name)(*order.values, **order.words)
            if order.name == "change":
                self._tell_cold(self._engine)

    def _start(self, config: Config, hosts: Sequence[Host], befores: Mapping[str, Before], level: int) -> None:
        from poller.fleet.threads import Threads

        engine = Threads(config, linger=_LINGER)
        log = logging.getLogger("poller")
        log.setLevel(level)
        log.addHandler(_Telling(self._said, engine.ring))
        _collect_seldom()
        engine.start(hosts, befores)
        self._engine = engine
        self._tell_cold(engine)

    def _tell_cold(self, engine: Threads) -> None:
        """Whom it does not hold from the start: that never changes, so no keeper ever tells it."""
        cold = tuple(state for state in engine.links().values() if state.link is Link.COLD)
        if cold:
            self._post.put(Arrivals(links=cold))

    def _finish(self) -> None:
        """What is left to be told, while the master is there to read it."""
        self._tell()
        while self._post.waiting:
            self._wait()


class _Telling(logging.Handler):
    """Any thread logs, the one that has the socket sends, when it hears `ring`."""

    def __init__(self, said: queue.SimpleQueue[Said], ring: Callable[[], None]) -> None:
        super().__init__()
        self._said = said
        self._ring = ring

    def emit(self, record: logging.LogRecord) -> None:
        if self._said.qsize() < _MOST_SAID:
            self._said.put(Said(record.levelno, record.name, self.format(record)))
            self._ring()


def _collect_seldom() -> None:
    """As a round does for its time: what was there before the first poll is no garbage, and little of a poll is."""
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, *gc.get_threshold()[1:])


def _end_soon() -> None:
    timer = threading.Timer(_END, os._exit, (0,))
    timer.daemon = True
    timer.start()


def main(number: int) -> None:
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    os.environ.pop("PYTHONPATH", None)  # it is for this process, not for the programs that it runs
    sock = socket.socket(fileno=number)
    sock.set_inheritable(False)  # nobody else is ever to speak on it
    post = Post(sock)
    try:
        Worker(post).run()
    finally:
        post.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))

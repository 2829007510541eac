"""What there is to be shown, from a daemon or from hosts that this process polls itself, handed over by a thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from poller.errors import BusyError, PollerError

if TYPE_CHECKING:
    from poller.control import Told
    from poller.live.document import Shown
    from poller.model import Config, Host

# Seconds for what was begun to come to an end. Beyond that it is left behind, and the process ends all the same.
_FAREWELL: Final = 6.0
# Seconds in which a daemon that was just started listens.
_PATIENCE: Final = 30.0
_LOOK: Final = 0.2
_DAEMON: Final = "the daemon"
_OWN: Final = "no daemon: polled by this command"
_MOST: Final = 500


class Feed:
    """`source` says in words whom it comes from, which `turn` changes."""

    def __init__(self, source: str, work: Callable[[Feed], None], end: Callable[[], None] = lambda: None) -> None:
        self.source = source
        self.stop = threading.Event()
        self._end = end
        self._queue: queue.SimpleQueue[Sequence[Shown] | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(work,), name="watch", daemon=True)
        self._thread.start()

    def put(self, shown: Sequence[Shown]) -> None:
        if shown:
            self._queue.put(shown)

    def take(self, seconds: float) -> list[Shown]:
        """All that has come, after waiting for the first of it at most so long. Raises what ended the other side."""
        found: list[Shown] = []
        try:
            item = self._queue.get(timeout=max(0.0, seconds))
            while True:
                if isinstance(item, BaseException):
                    raise item
                found += item
                if len(found) >= _MOST:
                    return found
                item = self._queue.get_nowait()
        except queue.Empty:
            return found

    def turn(self, source: str, end: Callable[[], None]) -> None:
        """It comes from there now; `end` ends that. For the thread of `work`."""
        self.source, self._end = source, end
        if self.stop.is_set():  # and was ended a moment ago
            end()

    def close(self) -> None:
        self.stop.set()
        self._end()
        self._thread.join(_FAREWELL)

    def _run(self, work: Callable[[Feed], None]) -> None:
        try:
            work(self)
        except BaseException as error:
            self._queue.put(error)


@contextmanager
def open_feed(config: Config, hosts: Sequence[Host]) -> Iterator[Feed]:
    """Of the daemon, when there is one; else of our own. BusyError when there is one that does not answer."""
    from poller.control import Client, NotRunningError, socket_path

    try:
        told = Client(socket_path(config)).stream("watch", hosts=[host.name for host in hosts])
    except NotRunningError:
        feed = _own(config, hosts)
    else:
        feed = Feed(_DAEMON, lambda feed: _relay(feed, told), told.close)
    try:
        yield feed
    finally:
        feed.close()


def _relay(feed: Feed, told: Told) -> None:
    from poller.live.document import read

    try:
        for item in told:
            shown = read(item)
            if shown is not None:
                feed.put((shown,))
    except (PollerError, OSError, ValueError):
        if not feed.stop.is_set():  # closed under its hands
            raise
    if not feed.stop.is_set():
        raise BusyError("the daemon has stopped", "start it again, or watch without one")


def _own(config: Config, hosts: Sequence[Host]) -> Feed:
    from poller.daemon.beside import refuse_beside_daemon

    refuse_beside_daemon(config)
    return Feed(_OWN, lambda feed: _poll(feed, config, hosts))


def _poll(feed: Feed, config: Config, hosts: Sequence[Host]) -> None:
    """By ourselves until a daemon begins: two must not hold one host, or each event is there twice."""
    from poller.daemon import alone

    while not feed.stop.is_set():
        feed.turn(_OWN, lambda: None)
        alone.watch(config, hosts, feed.put, feed.stop)
        told = _begun(feed, config, hosts)
        if told is not None:
            feed.turn(_DAEMON, told.close)
            _relay(feed, told)


def _begun(feed: Feed, config: Config, hosts: Sequence[Host]) -> Told | None:
    """The daemon that has the journal now, once it listens; None when it is gone again. BusyError: it does not."""
    from poller.control import Client, NotRunningError, socket_path
    from poller.daemon.beside import holder, refuse_beside_daemon

    ends = time.monotonic() + _PATIENCE
    while not feed.stop.is_set() and holder(config.journal):
        try:
            return Client(socket_path(config)).stream("watch", hosts=[host.name for host in hosts])
        except NotRunningError:
            if time.monotonic() >= ends:
                refuse_beside_daemon(config)
        feed.stop.wait(_LOOK)
    return None

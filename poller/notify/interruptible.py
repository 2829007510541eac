"""A delivery that a signal can end: a server may let us wait as long as its time-out, a signal must not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Protocol

from poller.model import Channel, Letter
from poller.notify.faults import ChannelDownError

# How soon a stop is noticed; an answer is noticed at once.
_LOOK_SECONDS: Final = 0.1


class Closable(Channel, Protocol):
    """A channel that may hold a connection until it is closed."""

    def close(self) -> None: ...


class Interruptible:
    """A `Channel` that is made when it is first used, and gives up when `stop` is set: the rest stays owed.

    Each message is sent in a thread that may be abandoned. One that a server accepts at that very moment is sent
    again later, with the same id.
    """

    def __init__(self, make: Callable[[], Closable], stop: threading.Event) -> None:
        self._make = make
        self._stop = stop
        self._channel: Closable | None = None

    def __enter__(self) -> Interruptible:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            with suppress(ChannelDownError):
                self._apart(channel.close)

    def send(self, letter: Letter) -> None:
        """As the channel's own; ChannelDownError when `stop` is set."""
        if self._channel is None:
            self._channel = self._make()
        self._apart(partial(self._channel.send, letter))

    def _apart(self, work: Callable[[], None]) -> None:
        done = threading.Event()
        failures: list[Exception] = []

        def run() -> None:
            try:
                work()
            except Exception as error:  # handed to the caller, whatever it is
                failures.append(error)
            finally:
                done.set()

        if not self._stop.is_set():
            threading.Thread(target=run, name="poller-channel", daemon=True).start()
        while not done.wait(_LOOK_SECONDS):
            if self._stop.is_set():
                raise ChannelDownError("the delivery was interrupted", "the next run delivers", code="interrupted")
        if failures:
            raise failures[0]

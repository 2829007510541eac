"""What other threads want of the main thread, which alone has the engine and the journal that polls go to."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Final, TypeVar

from poller.errors import BusyError, PollerError

T = TypeVar("T")

# Seconds that who asks waits for the main loop.
_ANSWER: Final = 10.0


class Errands:
    """`put` and `ask` are for other threads, `run` is for the main thread, once each time round."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def put(self, work: Callable[[], object]) -> None:
        """Has it done, and does not wait for that."""
        self._queue.put(work)

    def ask(self, work: Callable[[], T]) -> T:
        """Has it done, and waits for what comes of it. BusyError when the main loop is stopping, or hangs."""
        answers: queue.SimpleQueue[T | PollerError] = queue.SimpleQueue()

        def answer() -> None:
            try:
                answers.put(work())
            except PollerError as error:
                answers.put(error)

        self._queue.put(answer)
        try:
            found = answers.get(timeout=_ANSWER)
        except queue.Empty:
            raise BusyError("the daemon is too busy to answer", "try again in a moment") from None
        if isinstance(found, PollerError):
            raise found
        return found

    def run(self) -> None:
        while True:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                return
            work()

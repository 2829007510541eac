"""What other threads want of the main thread, which alone has the engine and the journal that polls go to.

An errand that fails is the affair of whoever asked for it: the main loop goes on.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotInTimeError
from typing import Any, Final, TypeVar

from poller.errors import BusyError, PollerError

_log = logging.getLogger(__name__)
T = TypeVar("T")

# Seconds that who asks waits for the main loop.
_ANSWER: Final = 10.0


class Errands:
    """`put` and `ask` are for other threads, `run` is for the main thread, once each time round, and `end` at last."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Future[Any], Callable[[], object]]] = queue.SimpleQueue()
        self._ended = False

    def put(self, work: Callable[[], object]) -> None:
        """Has it done, and does not wait for that. What it raises is logged."""
        self._begin(work).add_done_callback(_complain)

    def ask(self, work: Callable[[], T], patience: float = _ANSWER) -> T:
        """Has it done, and waits for what comes of it, also when that is an exception.

        BusyError when the daemon ends before that, or when the main loop does not come to it within `patience`
        seconds; then it is not done any more.
        """
        answer = self._begin(work)
        try:
            return answer.result(patience)
        except CancelledError:
            raise BusyError("the daemon is stopping", "ask again when it has started anew") from None
        except NotInTimeError:
            if answer.done() and not answer.cancelled():  # it is what the work itself raised, or just done
                return answer.result()
            answer.cancel()
            raise BusyError("the daemon is too busy to answer", "try again in a moment") from None

    def _begin(self, work: Callable[[], T]) -> Future[T]:
        answer: Future[T] = Future()
        self._queue.put((answer, work))
        if self._ended:  # and nobody looks at the queue any more
            answer.cancel()
        return answer

    def run(self) -> None:
        """All that are there. Raises nothing."""
        while (errand := self._next()) is not None:
            answer, work = errand
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(work())
                except Exception as error:  # whatever it is: it is told to who asked, and hosts are polled on
                    answer.set_exception(error)

    def end(self) -> None:
        """None is run any more: who waits for one is told so, and so is who asks from now on."""
        self._ended = True
        while (errand := self._next()) is not None:
            errand[0].cancel()

    def _next(self) -> tuple[Future[Any], Callable[[], object]] | None:
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None


def _complain(answer: Future[Any]) -> None:
    error = None if answer.cancelled() else answer.exception()
    if isinstance(error, PollerError):
        _log.warning("%s", error.sentence)
    elif error is not None:
        _log.error("a fault of the poller itself: %r", error, exc_info=error)

"""Runs calls that cannot be given a deadline (the resolver, the SSH agent) in a daemon thread that may be abandoned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# Calls that hang for ever hold their thread: with so many of them the next one waits for its own deadline, and fails.
# More than hosts are polled at once, so that those whose names do not resolve leave room for all others.
MOST: Final = 256
_PLACES: Final = threading.BoundedSemaphore(MOST)


class _Call(Generic[T]):
    def __init__(self, function: Callable[[], T], late: Callable[[T], None] | None) -> None:
        self._function = function
        self._late = late
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = threading.Event()
        self.result: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._finish(self._function())
        except BaseException as error:  # handed to the caller, whatever it is
            self.error = error
        finally:
            _PLACES.release()
            self.done.set()

    def _finish(self, result: T) -> None:
        with self._lock:
            if not self._abandoned:
                self.result.append(result)
                return
        if self._late:
            self._late(result)

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            late, self.result = self.result, []
        for result in late:
            if self._late:
                self._late(result)


def call(function: Callable[[], T], seconds: float, late: Callable[[T], None] | None = None) -> T:
    """The result of `function`, or its exception; TimeoutError after `seconds`.

    `late` gets a result that comes when nobody waits for it any more, so that it can be closed.
    """
    if not _PLACES.acquire(timeout=seconds):
        raise TimeoutError
    work = _Call(function, late)
    try:
        threading.Thread(target=work.run, name="ssh-apart", daemon=True).start()
    except BaseException:
        _PLACES.release()
        raise
    if not work.done.wait(seconds):
        work.abandon()
        raise TimeoutError
    if work.error is not None:
        raise work.error
    return work.result[0]

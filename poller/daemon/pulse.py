"""THE HEARTBEAT OF A DAEMON: for each shortest interval= one beginning and one end, as of a round of `poller run`.

A main loop that hangs has no rounds any more, so that nothing is said, and who watches raises the alarm. A journal that
cannot be written is a failure.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from poller.model import Heartbeat
from poller.notify.heartbeat import Heart

_STORE: Final = 74  # as `poller run` ends when nothing can be stored


@dataclass(frozen=True, slots=True)
class _Turn:
    """A round begins, and the one before it is over."""

    settings: Heartbeat | None
    round_id: str
    status: int
    words: str


class Pulse:
    """`turn` never waits: what takes place while a watcher is slow is left out but for the newest."""

    def __init__(self) -> None:
        self._turns: queue.Queue[_Turn] = queue.Queue(1)
        self._thread: threading.Thread | None = None

    def turn(self, settings: Heartbeat | None, round_id: str, words: str, *, well: bool) -> None:
        """`words` and `well` are about the round that is over."""
        if settings is None and self._thread is None:
            return
        with suppress(queue.Empty):
            self._turns.get_nowait()
        with suppress(queue.Full):
            self._turns.put_nowait(_Turn(settings, round_id, 0 if well else _STORE, words))
        self._tend()

    def _tend(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
            with suppress(RuntimeError, MemoryError):  # no more threads: the next round tries again
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        heart = Heart()
        while True:
            turn = self._turns.get()
            with suppress(RuntimeError, MemoryError):
                heart.end(turn.status, turn.words)
                heart = Heart()
                heart.begin(turn.settings, turn.round_id)

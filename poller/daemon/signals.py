"""Signals as a daemon takes them: SIGTERM and SIGINT end it once what goes on is stored, SIGHUP reads config.xml."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_END: Final = (signal.SIGTERM, signal.SIGINT)
_FAULT: Final = 70  # sysexits.h, EX_SOFTWARE
_FAILED: Final = -1
_CODES: Final = {0: 0, int(signal.SIGTERM): 0, int(signal.SIGINT): 128 + signal.SIGINT}


class Signals:
    """What was asked for so far. `stop` is set by the first signal that ends; a second one ends at once."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.number = 0
        self._reload = False

    def end(self, number: int = signal.SIGTERM) -> None:
        """As if that signal had come."""
        self.number = self.number or number
        self.stop.set()

    def fail(self) -> None:
        """The main loop has failed: what is left to do is to end."""
        self.number = _FAILED
        self.stop.set()

    def reload(self) -> None:
        self._reload = True

    def wants_reload(self) -> bool:
        """Whether somebody asked for one since it was last asked."""
        wanted, self._reload = self._reload, False
        return wanted

    @property
    def code(self) -> int:
        """The exit status: 0 after SIGTERM, which is how a daemon is ended; 130 after Ctrl-C; 70 after a fault."""
        return _CODES.get(self.number, _FAULT)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Inside the block signals come here. Only in the main thread."""
        handlers = {**dict.fromkeys(_END, self._end), signal.SIGHUP: lambda number, frame: self.reload()}
        previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: object) -> None:
        if self.stop.is_set():
            os._exit(128 + number)
        self.end(number)

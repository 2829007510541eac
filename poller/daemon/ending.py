"""The last resort of a daemon that ends: nobody waits for this process for longer than it promised."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def end_by(seconds: float, code: Callable[[], int], ending: threading.Event) -> None:
    """So long after `ending` is set the process ends with that status, unless it has by itself: whatever hangs is left
    behind. A thread that waits from the beginning, because at the end there may be no more of them.
    """

    def watch() -> None:
        ending.wait()
        threading.Event().wait(seconds)  # unlike sleep() it is not put out by a C library that fakes the clock
        _log.warning("what was still going on after %g s is left behind", seconds)
        os._exit(code())

    try:
        threading.Thread(target=watch, name="ending", daemon=True).start()
    except (RuntimeError, MemoryError):
        _log.info("no more threads: nobody watches over the end")

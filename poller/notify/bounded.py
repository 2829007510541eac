"""Work that must end in time although the library that does it knows no total time-out, only one for each step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], give_up: Callable[[], None] = lambda: None) -> T:
    """What `work` returns or raises; TimeoutError after `seconds`.

    It runs in a daemon thread, which is then abandoned: `give_up` wakes it, so that it ends soon.
    """
    results: list[T] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed to the caller, whatever it is
            failures.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="poller-bounded", daemon=True).start()
    if not done.wait(seconds):
        with suppress(OSError):
            give_up()
        raise TimeoutError("took too long as a whole")
    if failures:
        raise failures[0]
    return results[0]

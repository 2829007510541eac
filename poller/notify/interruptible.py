"""A delivery that a signal can end: smtplib waits for an answer as long as its time-out, a signal must not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final

from poller.model import Contact, Notification
from poller.notify.faults import ChannelDownError
from poller.notify.smtp import Smtp

# How soon a stop is noticed; an answer is noticed at once.
_LOOK_SECONDS: Final = 0.1


class Interruptible:
    """`smtp` as a `Channel` that gives up when `stop` is set: what was not accepted by then stays owed.

    Each message is sent in a thread that may be abandoned. One that a server accepts at that very moment is sent
    again later, with the same Message-ID.
    """

    def __init__(self, smtp: Smtp, stop: threading.Event) -> None:
        self._smtp = smtp
        self._stop = stop

    def __enter__(self) -> Interruptible:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(ChannelDownError):
            self._apart(self._smtp.close)

    def send(self, contact: Contact, notifications: Sequence[Notification]) -> None:
        """As `Smtp.send`; ChannelDownError when `stop` is set."""
        self._apart(partial(self._smtp.send, contact, notifications))

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
            threading.Thread(target=run, name="poller-mail", daemon=True).start()
        while not done.wait(_LOOK_SECONDS):
            if self._stop.is_set():
                raise ChannelDownError("the delivery was interrupted", "the next run delivers", code="interrupted")
        if failures:
            raise failures[0]

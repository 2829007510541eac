"""HISTORY ELSEWHERE: what a round sends to the archive, forgets there, or gets back from it when the journal is new.

Each in a thread of its own, with its own connection to the journal, that a signal may leave behind: a server that does
not answer holds its caller for as long as its time-out. What is left half done is done again the next time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from poller.clock import now_ms
from poller.model import Config
from poller.store import Journal

if TYPE_CHECKING:
    from poller.store.archive import Shipped

T = TypeVar("T")

_LOOK_SECONDS: Final = 0.1
# What is going on when the signal comes may end by itself in this time.
_GRACE_SECONDS: Final = 1.0


def rebuild(config: Config, stop: threading.Event) -> None:
    """Before a round: what a journal that is empty needs to know. StoreError only for the journal."""
    archive = config.archive
    if archive is not None:
        from poller.store.archive import rebuild

        _aside(lambda: _with_journal(config, lambda journal: rebuild(journal, archive, now_ms())), stop)


def ship(config: Config, stop: threading.Event) -> Shipped | None:
    """After a round: everything the archive does not have yet. None without one, and when a signal came first."""
    archive = config.archive
    if archive is None:
        return None
    from poller.store.archive import ship

    return _aside(
        lambda: _with_journal(config, lambda journal: ship(journal, archive, config.journal_bound, stop, now_ms)), stop
    )


def trim(config: Config, stop: threading.Event) -> None:
    """What is older than it may be goes from the archive too."""
    archive = config.archive
    if archive is not None:
        from poller.store.archive import trim

        _aside(lambda: trim(archive, config.retention, stop, now_ms(), _with_journal(config, _waiting_ms)), stop)


def roll_up(config: Config, stop: threading.Event) -> None:
    """The archive makes the windows of five minutes, and the hours, that are over; it goes on the next time."""
    archive = config.archive
    if archive is not None:
        from poller.store.archive import roll_up_archive

        def work() -> None:
            waiting_ms = _with_journal(config, _waiting_ms)
            roll_up_archive(archive, config.retention, stop, now_ms(), waiting_ms=waiting_ms)

        _aside(work, stop)


def _waiting_ms(journal: Journal) -> int | None:
    """Of the oldest poll that the archive does not have: another process may be sending, and slowly."""
    return journal.queue().oldest()


def used_bytes(journal: Journal) -> int:
    """What the journal holds, as its bound counts it."""
    from poller.store.archive.bound import used_bytes

    return used_bytes(journal.queue().connection)


def _with_journal(config: Config, work: Callable[[Journal], T]) -> T:
    """SQLite's connections belong to the thread that opened them."""
    with Journal.open(config.journal, now_ms=now_ms()) as journal:
        return work(journal)


def _aside(work: Callable[[], T], stop: threading.Event) -> T | None:
    """The result of `work`, or its exception; None when `stop` is set and it does not end soon."""
    done = threading.Event()
    results: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # handed to the caller, whatever it is
            failures.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="poller-archive", daemon=True).start()
    while not done.wait(_LOOK_SECONDS):
        if stop.is_set() and not done.wait(_GRACE_SECONDS):
            return None
    if failures:
        raise failures[0]
    return results[0]

"""`poller run` while a daemon runs: the daemon polls, over the sessions that it holds, and tells what came of it."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from poller.cli.run_shown import OUTCOMES
from poller.cli.settings import Settings, counted, inert
from poller.clock import now_ms

if TYPE_CHECKING:
    from poller.daemon.account import Entry
    from poller.model import Config

_LOG = logging.getLogger(__name__)


class _Interruption(BaseException):
    """A signal came. The daemon is not disturbed by that: what it has begun it ends and stores.

    No Exception: it may come while something is logged, and handlers of logs swallow those.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def by_daemon(
    config: Config, names: Collection[str], *, now: bool, on_host: Callable[[Entry], object]
) -> tuple[Entry, int] | None:
    """The document of what the daemon did, and the signal that ended the waiting (0: none). None when none runs.

    Raises what the daemon refuses with, and BusyError when it does not answer.
    """
    from poller.control import Client, NotRunningError, socket_path

    started_ms, stopped = now_ms(), 0
    hosts: list[Entry] = []
    last: Entry = {}
    try:
        with _interruptible(), Client(socket_path(config)).stream("poll", hosts=list(names), now=now) as told:
            _LOG.info("the daemon that listens at %s was asked to poll", socket_path(config))
            for one in told:
                hosts.append(one)
                on_host(one)
            last = told.answer
    except NotRunningError:
        return None
    except _Interruption as signalled:
        stopped = signalled.number
    return _document(started_ms, len(names), hosts, last, stopped), stopped


def _document(started_ms: int, count: int, hosts: list[Entry], last: Entry, stopped: int) -> Entry:
    """As `run_shown.as_document`. The round is the daemon's; messages and the archive are its own affair."""
    finished_ms = now_ms()
    outcomes = Counter(one["outcome"] for one in hosts)
    return {
        "round": {
            "id": last.get("round") or None,
            "started_ms": started_ms,
            "finished_ms": finished_ms,
            "seconds": (finished_ms - started_ms) / 1000,
            "outcomes": {name: outcomes[name] for name in OUTCOMES},
            "hosts": count,
            "interrupted": bool(stopped),
            "mails": None,
        },
        "archive": None,
        "poller": [],
        "hosts": hosts,
    }


def complain(settings: Settings, document: Entry, names: Collection[str]) -> None:
    """What the daemon did not tell, to stderr."""
    if document["round"]["interrupted"]:
        settings.err.print("poller: interrupted; the daemon goes on and stores what it polls", markup=False)
        return
    missing = sorted(set(names) - {one["name"] for one in document["hosts"]})
    if missing:
        which = f"{inert(missing[0])}{' and others' if len(missing) > 1 else ''}"
        settings.err.print(f"poller: no poll of {counted(len(missing), 'host')} came in time: {which}", markup=False)


@contextmanager
def _interruptible() -> Iterator[None]:
    def interrupt(number: int, frame: object) -> None:
        raise _Interruption(number)

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

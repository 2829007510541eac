"""NAMES OF PEERS: after a round the addresses that hosts talked to are looked up here, a few at a time.

At the centre and not on the hosts, so that nothing is asked twice, and no poll waits for a name server. Each is asked
for in a thread that is left behind when it does not come back in time: getnameinfo(3) knows no time-out.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from poller.clock import now_ms
from poller.errors import StoreError
from poller.store import Journal

_log = logging.getLogger(__name__)
SECONDS: Final = 3.0  # that a round waits for names
MOST: Final = 50  # addresses in a round
_AT_ONCE: Final = 8
_LOOK_SECONDS: Final = 0.1
_LONGEST: Final = 253  # characters of a name (RFC 1035, 2.3.4)

LookUp = Callable[[str], str]


def look_up(address: str) -> str:
    """The name of an address by the system's resolver (hosts file, DNS); "" when it has none."""
    try:
        name = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except (OSError, UnicodeError):
        return ""
    return name if name.isascii() and name.isprintable() and len(name) <= _LONGEST else ""


def resolve(journal: Journal, stop: threading.Event, look: LookUp = look_up, seconds: float = SECONDS) -> int:
    """Looks up what has no fresh name, until `stop` is set or the time is over. How many were asked for.

    StoreError when the journal cannot be read. On a disk that is full names are not kept: they can wait.
    """
    names = journal.names()
    wanted = names.wanted(now_ms(), MOST)
    if not wanted:
        return 0
    asked = [address for address in wanted if _has_names(address)]
    found = {address: "" for address in wanted if address not in asked} | dict(_answers(asked, stop, look, seconds))
    if not stop.is_set():
        try:
            journal.check_room()
            names.store(found, [address for address in asked if address not in found], now_ms())
        except StoreError as error:
            _log.info("names of addresses are not stored: %s", error.sentence)
    return len(asked)


def _has_names(address: str) -> bool:
    """Nobody keeps names of groups and of what is valid on one wire only."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


def _answers(
    addresses: Sequence[str], stop: threading.Event, look: LookUp, seconds: float
) -> Iterator[tuple[str, str]]:
    """Those that come in time."""
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    over = threading.Event()
    for address in addresses:
        todo.put(address)
    until = time.monotonic() + seconds
    try:
        for _ in range(min(_AT_ONCE, len(addresses))):
            threading.Thread(target=_work, args=(todo, done, over, look), name="poller-names", daemon=True).start()
        for _ in addresses:
            answer = _next(done, stop, until)
            if answer is None:
                return
            yield answer
    except RuntimeError:
        return  # no more threads: names can wait
    finally:
        over.set()


def _next(done: queue.SimpleQueue[tuple[str, str]], stop: threading.Event, until: float) -> tuple[str, str] | None:
    """None when the time is over, or a signal came."""
    while not stop.is_set() and (left := until - time.monotonic()) > 0:
        try:
            return done.get(timeout=min(left, _LOOK_SECONDS))
        except queue.Empty:
            pass
    return None


def _work(
    todo: queue.SimpleQueue[str], done: queue.SimpleQueue[tuple[str, str]], over: threading.Event, look: LookUp
) -> None:
    while not over.is_set():
        try:
            address = todo.get_nowait()
        except queue.Empty:
            return
        done.put((address, look(address)))

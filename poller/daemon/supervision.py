"""What systemd is told: ready, reloading, stopping, alive, and a line of how things are. Without a library.

The protocol is that of sd_notify(3): datagrams of `NAME=value` lines to the socket that $NOTIFY_SOCKET names. Without
that variable nothing is said. Nothing here ever raises, and nothing waits for longer than a moment: a supervisor that
does not read is no reason not to poll.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

# Seconds that what must arrive may wait for room in the socket's queue.
_PATIENCE: Final = 1.0
# How often in the time that systemd waits for a sign of life one is given.
_SIGNS: Final = 4


class Supervisor:
    """`alive` may be called as often as one likes: so often as is needed it says so."""

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        self._socket = _connected(address)
        self._every = watchdog_seconds / _SIGNS
        self._next_sign = 0.0
        self._status = ""

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] | None = None) -> Supervisor:
        """By $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, which are taken away: no child is to speak for us."""
        where = os.environ if environ is None else environ
        address, period, pid = (where.pop(name, "") for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"))
        for_us = pid in ("", str(os.getpid()))
        seconds = int(period) / 1e6 if for_us and period.isascii() and period.isdigit() else 0.0
        return cls(address, seconds)

    def ready(self) -> None:
        """The start, or a reload, is over."""
        self._say("READY=1", surely=True)

    def reloading(self) -> None:
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._say(f"RELOADING=1\nMONOTONIC_USEC={now}", surely=True)

    def stopping(self) -> None:
        self._say("STOPPING=1", surely=True)

    def status(self, text: str) -> None:
        """One line for `systemctl status`; the same one again is not said."""
        line = " ".join(text.split())
        if line != self._status:
            self._status = line
            self._say(f"STATUS={line}")

    def alive(self) -> None:
        """The main loop goes round."""
        if self._every and time.monotonic() >= self._next_sign:
            self._next_sign = time.monotonic() + self._every
            self._say("WATCHDOG=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, text: str, *, surely: bool = False) -> None:
        if self._socket is None:
            return
        try:
            self._socket.settimeout(_PATIENCE if surely else 0.0)
            self._socket.send(text.encode("utf-8", "replace"))
        except OSError:
            pass  # nobody listens any more, or its queue is full: the next one may arrive


def _connected(address: str) -> socket.socket | None:
    """A leading `@` is an abstract address (unix(7)): a NUL in its place."""
    if address[:1] not in ("/", "@"):
        return None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.connect("\0" + address[1:] if address[0] == "@" else address)
    except OSError:
        sock.close()
        return None
    return sock

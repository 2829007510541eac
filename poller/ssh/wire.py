"""What paramiko reads from and writes to: a socket, or a channel through a jump host, held at arm's length.

paramiko has no limit on what a server may send (#2626), restarts its timers with every byte (#1787) and
measures time with a clock that steps. So everything goes through a `Wire`: reads of at most 64 KiB, an allowance
of bytes that grows only as somebody takes them, and one monotonic deadline enforced by the watchdog.
The end is shutdown(SHUT_RDWR), which wakes whoever is blocked in recv or send; the descriptor is closed by the thread
that reads, so that its number cannot be reused under a recv that is about to start.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from poller.bell import Bell
from poller.model import Deadline
from poller.ssh.watchdog import WATCHDOG

if TYPE_CHECKING:
    import paramiko

READ_MOST: Final = 64 * 1024
HANDSHAKE_ALLOWANCE: Final = 64 * 1024
SESSION_ALLOWANCE: Final = 4 * 1024 * 1024
HEAD_KEPT: Final = 256
_STUCK_SECONDS: Final = 0.3
_NEARLY: Final = 0.05


def _came(descriptor: int, seconds: float, wake: int = -1) -> bool:
    """Whether `descriptor` became readable in time, and `wake` did not before."""
    poll = select.poll()  # select.select cannot watch descriptors above 1023
    poll.register(descriptor, select.POLLIN)
    if wake >= 0:
        poll.register(wake, select.POLLIN)
    came = poll.poll(None if seconds == float("inf") else max(0.0, seconds) * 1000)
    return bool(came) and all(ready != wake for ready, _ in came)


class Wire(ABC):
    """One connection to a host. Give it to a paramiko transport as `sock=`, and set `reader` to that transport."""

    def __init__(self, source: socket.socket | paramiko.Channel) -> None:
        self._source = source
        self._buffer = b""
        self._sending = threading.Lock()
        self._limit = HANDSHAKE_ALLOWANCE
        self.reader: threading.Thread | None = None
        self.at = float("inf")
        self.noted = float("inf")
        self.closed = False
        self.expired = False
        self.flooded = False
        self.received = 0
        self.sent = 0
        self.head = b""

    # What the poller asks of it

    def until(self, deadline: Deadline | None) -> None:
        """Sets the moment at which the watchdog ends this connection. None: nobody waits, never."""
        self.at = deadline.at if deadline else float("inf")
        if self.at < self.noted:
            WATCHDOG.watch(self)

    def allow(self, count: int) -> None:
        """The host may send that many bytes more than it has sent until now."""
        self._limit = self.received + count

    def took(self, count: int) -> None:
        """The poller took `count` bytes out of paramiko: that much may come again (twice, for the packets around)."""
        self._limit += 2 * count + 4096

    def expire(self) -> float | None:
        """Called by the watchdog. Does not block."""
        self.expired = True
        self._wake()
        return None

    # What paramiko asks of a socket

    @property
    def _closed(self) -> bool:
        return self.closed

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read (or the end), after waiting for it at most so long.

        Where the watchdog ends the wait anyway the read itself may wait: that saves asking the kernel first.
        """
        return bool(self._buffer) or time.monotonic() + seconds >= self.at - _NEARLY or self._wait(seconds)

    def ready(self, seconds: float, wake: int) -> bool:
        """Whether there is something to read (or the end), after waiting at most so long, or until `wake` is readable.

        Nobody else ends this wait: it is for a connection that is held while nobody asks. `seconds` may be inf.
        """
        return bool(self._buffer) or _came(self._descriptor, seconds, wake)

    def settimeout(self, seconds: float | None) -> None:  # noqa: B027 - empty on purpose
        """Left alone: a blocking read never wakes up for nothing, and the watchdog ends it."""

    def getpeername(self) -> tuple[str, int]:
        name = self._source.getpeername()
        return str(name[0]), int(name[1])

    def recv(self, count: int) -> bytes:
        """At most `count` bytes; b"" at the end, at the deadline, or when the host sends more than it is allowed."""
        if not self._buffer:
            self._buffer = self._receive()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def take(self, count: int) -> bytes:
        """Exactly `count` bytes. EOFError when the connection ends before."""
        while len(self._buffer) < count:
            data = self._receive()
            if not data:
                raise EOFError
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _receive(self) -> bytes:
        data = self._source.recv(READ_MOST)
        self.received += len(data)
        if len(self.head) < HEAD_KEPT:
            self.head += data[: HEAD_KEPT - len(self.head)]
        if self.received > self._limit:
            self.flooded = True
            self._wake()
            return b""
        return data

    def send(self, data: bytes) -> int:
        with self._sending:
            count = self._source.send(data)
        self.sent += count
        return count

    def close(self) -> None:
        """Ends the connection now. Called as often as one likes."""
        self._wake()
        mine = self.reader is None or not self.reader.is_alive() or self.reader is threading.current_thread()
        if mine and not self.closed:
            self.closed = True
            self._buffer = b""
            self._shut()

    @property
    @abstractmethod
    def _descriptor(self) -> int:
        """What is readable when there is something to read, or the end."""

    @abstractmethod
    def _wait(self, seconds: float) -> bool:
        """True when there is something to read, or the end."""

    @abstractmethod
    def _wake(self) -> None:
        """Wakes whoever reads or writes, and does not block."""

    @abstractmethod
    def _shut(self) -> None:
        """Gives the source back. Called once, by the thread that reads."""


class SocketWire(Wire):
    """A TCP connection."""

    _source: socket.socket

    @property
    def _descriptor(self) -> int:
        return self._source.fileno()

    def _wait(self, seconds: float) -> bool:
        return _came(self._source.fileno(), seconds)

    def _wake(self) -> None:
        # A connection that is down already refuses to be shut down again.
        with contextlib.suppress(OSError):
            self._source.shutdown(socket.SHUT_RDWR)

    def _shut(self) -> None:
        with self._sending:
            self._source.close()


class ChannelWire(Wire):
    """A connection inside the connection to a jump host: its end is the end of this channel only.

    Unless the jump host itself takes nothing any more: then a send stays stuck, and the connection to it is ended too.
    """

    _source: paramiko.Channel

    def __init__(self, source: paramiko.Channel, outer: Wire) -> None:
        super().__init__(source)
        self._outer = outer
        self._busy_since = 0.0
        self._arrived = Bell()
        source.in_buffer.set_event(self._arrived)  # type: ignore[arg-type]  # it calls `set` and `clear`

    @property
    def _descriptor(self) -> int:
        return self._arrived.fd

    def _wait(self, seconds: float) -> bool:
        return _came(self._arrived.fd, seconds)

    def _receive(self) -> bytes:
        data = super()._receive()
        self._outer.took(len(data))
        return data

    def send(self, data: bytes) -> int:
        self._busy_since = time.monotonic()
        try:
            return super().send(data)
        finally:
            self._busy_since = 0.0

    def expire(self) -> float | None:
        if self.expired:
            if self._busy_since:
                self._outer.expire()
            return None
        super().expire()
        return _STUCK_SECONDS

    def _wake(self) -> None:
        # Wakes the reader, whose transport then closes the channel in its own thread. `Channel.close` sends, and
        # may block, so the watchdog must not call it.
        self._source.in_buffer.close()

    def _shut(self) -> None:
        # Tells the jump host, unless the connection to it has gone first.
        with contextlib.suppress(OSError, EOFError):
            self._source.close()
        self._arrived.close()

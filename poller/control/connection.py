"""One client, as the daemon has it: lines that come in, lines that wait to go out, both bounded.

`put` may be called from any thread and never waits for the client; only the thread of the server reads and writes.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from poller.control.message import LONGEST_REQUEST, ProtocolError

# Bytes that may wait for a client. Above that it does not read, and is let go.
_MOST_WAITING: Final = 8 << 20
# Bytes that may wait while one who can wait puts more.
_ROOM: Final = 1 << 20
# Seconds in which a client must take at least something of what waits for it.
_PATIENCE: Final = 20.0
_AT_ONCE: Final = 1 << 16


class Connection:
    """`over` once nothing more can be said to the client, `done` once nothing more is meant to be; `ending` is set when
    whoever has something to tell should come to an end.
    """

    def __init__(self, sock: socket.socket, wake: Callable[[], None]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._wake = wake
        self._in = bytearray()
        self._out = bytearray()
        self._moved = time.monotonic()
        self._changed = threading.Condition()
        self.opened = self._moved
        self.over = False
        self.ending = threading.Event()
        self.asked = False
        self.done = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def put(self, line: bytes) -> bool:
        """False when the client is gone, or has left so much unread that it is let go now."""
        with self._changed:
            if self.over:
                return False
            if self._out and len(self._out) + len(line) > _MOST_WAITING:
                self.give_up()
            else:
                if not self._out:
                    self._moved = time.monotonic()
                self._out += line
        self._wake()
        return not self.over

    def put_patiently(self, line: bytes) -> bool:
        """As `put`, but waits while much is unread; for a thread that nobody waits for."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending.is_set() or len(self._out) < _ROOM)
        return self.put(line)

    def finish(self, line: bytes) -> None:
        """The last line; the connection is closed when it is out."""
        self.put(line)
        self.done = True
        self._wake()

    def end(self) -> None:
        """Asks whoever talks to the client to come to an end."""
        with self._changed:
            self.ending.set()
            self._changed.notify_all()

    def give_up(self) -> None:
        """The client is gone, or is let go."""
        with self._changed:
            self.over = True
            self._out.clear()
            self.end()

    def receive(self) -> bytes | None:
        """The request, once it is there. OSError at the end of the connection, ProtocolError for too long a line."""
        data = self._sock.recv(_AT_ONCE)
        if not data:
            raise ConnectionResetError
        if self.done:
            return None
        if self.asked:
            raise ProtocolError("one connection has one request")
        self._in += data
        line, end, _ = self._in.partition(b"\n")
        if len(line) > LONGEST_REQUEST:
            raise ProtocolError("the request is too long", f"it may have {LONGEST_REQUEST} bytes")
        if not end:
            return None
        self.asked = True
        self._in.clear()
        return bytes(line)

    def flush(self) -> None:
        """Writes as much as the client takes. OSError when it is gone."""
        with self._changed:
            if not self._out:
                return
            try:
                sent = self._sock.send(memoryview(self._out)[:_AT_ONCE])
            except BlockingIOError:
                return
            del self._out[:sent]
            self._moved = time.monotonic()
            self._changed.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether something is left to be written."""
        return bool(self._out)

    @property
    def stuck(self) -> bool:
        """Whether the client has taken nothing for long of what waits for it."""
        return bool(self._out) and time.monotonic() - self._moved > _PATIENCE

    def close(self) -> None:
        self.give_up()
        self._sock.close()

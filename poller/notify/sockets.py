"""The connections of one request, so that it can be ended from outside at any moment."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Sockets:
    """Keeps a second handle of each connection: TLS takes the first one over. Used by two threads."""

    def __init__(self) -> None:
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = False

    def keep(self, sock: socket.socket) -> None:
        """Another connection. It is cut at once when the request is over by now."""
        with self._lock:
            if self._over:
                _shut(sock)
            else:
                self._handles.append(sock.dup())

    def cut(self) -> None:
        """Ends every connection, also what reads from it right now."""
        with self._lock:
            self._over = True
            for handle in self._handles:
                _shut(handle)

    def close(self) -> None:
        """Gives the handles back; a connection that is still used goes on."""
        with self._lock:
            self._over = True
            for handle in self._handles:
                handle.close()
            self._handles.clear()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)

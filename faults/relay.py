"""A way to a server that an experiment can break: it forwards, waits, slows down, or does something at a given moment.

What is sent while the way is dropped arrives late, when it is open again, as TCP would send it again.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.1


class Relay:
    """Listens on `port` of 127.0.0.1 and forwards to `target`. Counts what clients send, in pieces of one sendall()."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0  # seconds that each piece of a client is held back
        self.pieces = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._due: tuple[int, Callable[[], object]] | None = None
        self._start(self._accept)

    def drop(self) -> None:
        """Nothing goes through, and nobody is told; also who connects now waits."""
        self._open.clear()

    def restore(self) -> None:
        """Forwards again, and forgets what `at` was told: what did not happen by now must not hit somebody else."""
        self._due = None
        self._open.set()

    def at(self, pieces: int, action: Callable[[], object]) -> None:
        """Does it once, when the clients have sent so many more pieces; the last of them is not forwarded before."""
        self._due = (self.pieces + pieces, action)

    @property
    def waiting(self) -> bool:
        """What `at` was told is not done yet."""
        return self._due is not None

    def close(self) -> None:
        self._ended.set()
        self._open.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *values: object) -> None:
        thread = threading.Thread(target=work, args=values, daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._start(self._connect, client)

    def _connect(self, client: socket.socket) -> None:
        self._pass()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self._sockets.append(server)
        self._start(self._pump, server, client, False)
        self._pump(client, server, True)

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 20):
                if counted:
                    self._count()
                    self._ended.wait(self.delay)
                self._pass()
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _count(self) -> None:
        self.pieces += 1
        if self._due is not None and self.pieces >= self._due[0]:
            action = self._due[1]
            self._due = None
            action()

    def _pass(self) -> None:
        while not self._open.wait(_LOOK_SECONDS) and not self._ended.is_set():
            pass


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """One for the block, to this port of 127.0.0.1."""
    made = Relay(target)
    try:
        yield made
    finally:
        made.close()

"""The daemon's side of the socket: takes clients, lets handlers answer them, and never waits for any of them.

    def status(caller: Caller) -> Mapping[str, Any]:
        return {"hosts": daemon.hosts()}                # a thread-safe call; the answer

    def watch(caller: Caller) -> Mapping[str, Any]:     # a stream: items until the client goes
        with daemon.publishing_to(caller.send):         # `send` may be called from any thread and never blocks
            caller.wait()
        return {"stopping": caller.stopping}

    with Server(socket_path(config), {"status": status, "watch": watch}):
        ...

One thread has all the sockets; each request that is being answered has one more. Whoever is neither of this account
nor root is refused (SO_PEERCRED, unix(7)), whatever the mode of the file.
"""

from __future__ import annotations

import logging
import os
import selectors
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from poller.bell import Bell
from poller.control.caller import Caller, Handler
from poller.control.connection import Connection
from poller.control.listening import listening, peer, unlisten
from poller.control.message import ALIVE, Message, ProtocolError, decode, encode, failure, hello
from poller.errors import BusyError, PollerError

_log = logging.getLogger(__name__)

_MOST_CLIENTS: Final = 64
# Seconds between signs of life to clients that wait for an answer, and in which a client must have asked.
_BEAT: Final = 5.0
# Seconds that `close` gives to handlers to end and then to clients to read the last line.
_FAREWELL: Final = 2.0
# Seconds until clients are taken again when there were no more files.
_PAUSE: Final = 1.0
_STOPPING: Final = BusyError("the daemon is stopping", "try again when it has started anew")
_FAULT: Final = "look at the log of the daemon, and report it"


class Server:
    """Listens from the moment it is made until `close`. PollerError `path`, BusyError when a daemon listens there."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._listener = listening(path)
        self._inode = os.lstat(path).st_ino
        self._bell = Bell()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._listens_from = 0.0
        self._clients: list[Connection] = []
        self._workers: set[threading.Thread] = set()
        self._hiring = threading.Lock()
        self._closing = threading.Event()
        self._leave_at = float("inf")
        self._beat_at = 0.0
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Handlers that wait are told (`Caller.wait`), clients get what is said last. Nothing is left then."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._bell.set()
        ends = time.monotonic() + _FAREWELL
        with self._hiring:
            workers = tuple(self._workers)
        for worker in workers:
            worker.join(max(0.0, ends - time.monotonic()))
        self._leave_at = time.monotonic() + _FAREWELL
        self._bell.set()
        self._thread.join()

    def _serve(self) -> None:
        try:
            while not self._finished():
                try:
                    self._turn()
                except (MemoryError, RuntimeError, OSError) as error:  # the machine lacks something just now
                    _log.warning("the socket for commands: %r", error)
                    time.sleep(_PAUSE)
        finally:
            for client in self._clients:
                client.close()
            self._selector.close()
            self._listener.close()
            unlisten(self._path, self._inode)
            self._bell.close()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._patience()):
            self._attend(key.fileobj, events)
        self._tend()

    def _finished(self) -> bool:
        """After `close` was called: once all is said, or there is no more time to say it."""
        now = time.monotonic()
        return self._leave_at < float("inf") and (
            now >= self._leave_at or not any(client.waiting for client in self._clients)
        )

    def _patience(self) -> float | None:
        """Seconds until something is to be done that no socket tells; for ever while there is no client."""
        now = time.monotonic()
        moments = [self._beat_at] if self._clients else []
        if self._listens_from > now:
            moments.append(self._listens_from)
        if self._leave_at < float("inf"):
            moments.append(self._leave_at)
        return max(0.0, min(moments) - now) if moments else None

    def _attend(self, ready: object, events: int) -> None:
        if ready is self._bell:
            self._bell.clear()
        elif ready is self._listener:
            self._accept()
        elif isinstance(ready, Connection):
            self._talk(ready, events)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError as error:  # EMFILE, ENFILE, ENOMEM; or the client has gone already
            if not isinstance(error, (BlockingIOError, ConnectionAbortedError)):
                self._listens_from = time.monotonic() + _PAUSE
                self._selector.unregister(self._listener)
            return
        client = Connection(sock, self._bell.set)
        try:
            self._selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)
        except OSError:
            client.close()
            return
        self._clients.append(client)
        refusal = self._refusal(peer(sock)[1])
        if refusal is None:
            client.put(encode(hello(os.getpid())))
        else:
            client.finish(encode(failure(refusal)))

    def _refusal(self, uid: int) -> PollerError | None:
        if uid not in (0, os.geteuid()):
            return PollerError(
                "the daemon runs under another account", "run the command under it, or as root", code="denied"
            )
        if len(self._clients) > _MOST_CLIENTS:
            return BusyError(f"the daemon talks to {_MOST_CLIENTS} commands already", "end some of them")
        return _STOPPING if self._closing.is_set() else None

    def _talk(self, client: Connection, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                client.flush()
            line = client.receive() if events & selectors.EVENT_READ else None
            if line is not None and not client.done:
                self._begin(client, decode(line))
        except BlockingIOError:
            pass
        except OSError:
            client.give_up()
        except ProtocolError as error:
            client.finish(encode(failure(error)))
        except Exception as error:  # ours, or no memory: no reason not to be there for the others
            _log.error("a request of the command line failed: %r", error, exc_info=True)
            client.give_up()

    def _begin(self, client: Connection, request: Message) -> None:
        handler = self._handlers.get(str(request.get("ask")))
        if handler is None:
            raise ProtocolError("the daemon does not know this request", "the command and the daemon may not fit")
        caller = Caller(request, client, self._closing)
        worker = threading.Thread(
            target=self._work, args=(client, caller, handler), name=f"control {request['ask']}", daemon=True
        )
        try:
            with self._hiring:  # who closes joins only what was started
                worker.start()
                self._workers.add(worker)
        except (RuntimeError, MemoryError):
            client.finish(encode(failure(BusyError("the daemon has no more threads", "try again in a moment"))))

    def _work(self, client: Connection, caller: Caller, handler: Handler) -> None:
        try:
            client.finish(encode({"answer": dict(handler(caller))}))
        except PollerError as error:
            client.finish(encode(failure(error)))
        except Exception as error:
            _log.error("a request of the command line failed: %r", error, exc_info=True)
            fault = PollerError(f"a fault of the daemon: {type(error).__name__}", _FAULT, code="fault")
            client.finish(encode(failure(fault)))
        finally:
            with self._hiring:
                self._workers.discard(threading.current_thread())

    def _tend(self) -> None:
        """What is due for each client: a sign of life, an end, an eye on whether it takes what is written."""
        now = time.monotonic()
        beat = now >= self._beat_at
        if beat:
            self._beat_at = now + _BEAT
        if self._listens_from and now >= self._listens_from:
            self._listens_from = 0.0
            self._selector.register(self._listener, selectors.EVENT_READ)
        for client in tuple(self._clients):
            if beat:
                self._look_after(client, now)
            if client.over or (client.done and not client.waiting):
                self._drop(client)
            else:
                writes = selectors.EVENT_WRITE if client.waiting else 0
                self._selector.modify(client, selectors.EVENT_READ | writes)
        if self._closing.is_set():
            for client in self._clients:
                client.end()

    def _look_after(self, client: Connection, now: float) -> None:
        if client.stuck or (not client.asked and not client.done and now - client.opened > _BEAT):
            client.give_up()
        elif client.asked and not client.done:
            client.put(ALIVE)

    def _drop(self, client: Connection) -> None:
        self._selector.unregister(client)
        self._clients.remove(client)
        client.close()

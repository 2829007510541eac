"""The command's side of the socket: asks the daemon one thing, and reads what it says.

    client = Client(socket_path(config))
    document = client.ask("status")
    with client.stream("watch", hosts=["pc07"]) as told:
        for item in told:
            ...
    told.answer                                          # what came last

NotRunningError when nobody listens there: the command then does by itself what it can.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from poller.control.listening import peer
from poller.control.message import LONGEST_ANSWER, Message, ProtocolError, check_hello, decode, encode, raised
from poller.control.path import fits
from poller.errors import BusyError, PollerError

# Seconds of silence after which the daemon is taken for hung; it gives a sign of life every five.
_SILENCE: Final = 20.0
# Seconds until a daemon whose queue was full is tried again.
_AGAIN: Final = 0.05
_AT_ONCE: Final = 1 << 16


class NotRunningError(PollerError):
    """No daemon listens at the socket."""

    code = "not-running"


class Client:
    """Holds no connection: each request has its own."""

    def __init__(self, path: Path, *, silence: float = _SILENCE) -> None:
        self._path = path
        self._silence = silence

    def ask(self, name: str, /, **fields: Any) -> Message:
        """The answer to one request; items that come before it are passed over."""
        with self.stream(name, **fields) as told:
            for _ in told:
                pass
        return told.answer

    def stream(self, name: str, /, **fields: Any) -> Told:
        """What the daemon tells, item by item, and its answer at last.

        Raises NotRunningError, BusyError (it does not answer), ProtocolError (it is of another version), and whatever
        PollerError the daemon refuses with.
        """
        told = Told(self._connected(), self._silence)
        try:
            told.greet()
            told.send({"ask": name, **fields})
        except BaseException:
            told.close()
            raise
        return told

    def _connected(self) -> socket.socket:
        absent = NotRunningError(f"no daemon listens at {self._path}", "`poller daemon` starts one")
        if not fits(self._path):
            raise absent
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(self._silence)
        try:
            self._connect(sock)
            self._trust(sock)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
            sock.close()
            raise absent from error
        except OSError as error:
            sock.close()
            raise _unreachable(self._path, error) from error
        except PollerError:
            sock.close()
            raise
        return sock

    def _connect(self, sock: socket.socket) -> None:
        """Waits while too many others want to talk to the daemon: a socket with a time limit is told EAGAIN then."""
        ends = time.monotonic() + self._silence
        while True:
            try:
                sock.connect(bytes(self._path))
                return
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise TimeoutError from None
                time.sleep(_AGAIN)

    def _trust(self, sock: socket.socket) -> None:
        """A daemon of our own account, of root's, or of the one whose folder this is: nobody else may answer for it."""
        uid = peer(sock)[1]
        if uid not in (0, os.geteuid(), self._path.parent.stat().st_uid):
            raise PollerError(f"what listens at {self._path} is another account's", "find out who that is", code="peer")


class Told:
    """One conversation: iterate over its items, then read `answer`. Closing it early ends the request."""

    def __init__(self, sock: socket.socket, silence: float) -> None:
        self._sock = sock
        self._silence = silence
        self._in = bytearray()
        self._seen = 0
        self.answer: Message = {}

    def __enter__(self) -> Told:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Told:
        return self

    def __next__(self) -> Message:
        if self.answer or self._sock.fileno() < 0:
            raise StopIteration
        message = self._message()
        if "error" in message:
            raise raised(message["error"])
        if "item" in message:
            return _object(message["item"])
        self.answer = _object(message.get("answer"))
        self.close()
        raise StopIteration

    def greet(self) -> None:
        check_hello(self._message())

    def send(self, message: Message) -> None:
        try:
            self._sock.sendall(encode(message))
        except TimeoutError as error:
            raise _silent(self._silence) from error
        except OSError:  # it has hung up, and may have said why
            pass

    def close(self) -> None:
        """From any thread: one that waits for an item has BusyError then."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)  # closing alone would wake nobody
        self._sock.close()

    def _message(self) -> Message:
        while True:
            line = self._line()
            if line:
                return decode(line)

    def _line(self) -> bytes:
        """The next line, without its end; an empty one is a sign of life."""
        while True:
            end = self._in.find(b"\n", self._seen)
            if end >= 0:
                line = bytes(self._in[:end])
                del self._in[: end + 1]
                self._seen = 0
                return line
            self._seen = len(self._in)
            if self._seen > LONGEST_ANSWER:
                raise ProtocolError("the daemon's answer is too long", "ask for fewer hosts")
            self._in += self._received()

    def _received(self) -> bytes:
        try:
            data = self._sock.recv(_AT_ONCE)
        except TimeoutError as error:
            raise _silent(self._silence) from error
        except OSError as error:
            raise _gone() from error
        if not data:
            raise _gone()
        return data


def _object(told: Any) -> Message:
    if not isinstance(told, dict):
        raise ProtocolError("what came over the socket is no answer", "the command and the daemon may not fit")
    return told


def _silent(seconds: float) -> BusyError:
    return BusyError(
        f"the daemon has said nothing for {seconds:.0f} s", "look whether it hangs; `kill` it, and start it again"
    )


def _gone() -> BusyError:
    return BusyError("the daemon went away before it had answered", "look at its log; ask again when it is back")


def _unreachable(path: Path, error: OSError) -> PollerError:
    if isinstance(error, TimeoutError):
        return BusyError(f"the daemon at {path} takes no connection", "look whether it hangs")
    why = error.strerror or str(error)
    return PollerError(f"the daemon's socket {path}: {why}", "run the command under the daemon's account", code="io")

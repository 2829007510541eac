"""What the processes of one daemon tell each other, and the socket by which they do.

Pickle is safe here for one reason only: both ends are our own processes, joined by a socketpair that one inherited from
the other and that has no name. Nothing that a host said is unpickled but as the values that were made of it here.

A parcel is four bytes of length, then the pickled value. Rows are taken apart into their fields by C code instead of
the Python that dataclasses bring for it: a poll of 178 rows (14.7 kB) takes 0.13 ms to pack and 0.29 ms to unpack on
the reference machine, with their own way 0.54 and 0.58 ms.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args

from poller.errors import PollerError
from poller.model import Before, EvidencePart, Host, LinkState, Logins, Ping, Poll, Push, Reading, Report, Row, Section

_LENGTH: Final = struct.Struct("!I")
# Bytes of one parcel, and of what may wait for the other process before it counts as hung.
_LONGEST: Final = 256 << 20
_MOST_WAITING: Final = 512 << 20
_AT_ONCE: Final = 1 << 18

_Taken = tuple[Callable[..., Any], tuple[Any, ...]]
_Apart = Callable[[Any], _Taken]


class Beat(NamedTuple):
    """A worker lives, though there is nothing to tell."""


class Said(NamedTuple):
    """What a worker would have logged: the daemon does."""

    level: int
    name: str
    text: str


class Order(NamedTuple):
    """A method of the worker's engine, and what it is called with."""

    name: str
    values: tuple[Any, ...] = ()
    words: Mapping[str, Any] = MappingProxyType({})


class ParcelError(PollerError):
    """What came is no parcel, or too long, or the other process takes nothing. It is ended then."""

    code = "parcel"


def _apart(kind: type[Any]) -> _Apart:
    names = [field.name for field in fields(kind) if field.init]
    if len(names) == 1:
        (name,) = names
        return lambda value: (kind, (getattr(value, name),))
    values = attrgetter(*names)
    return lambda value: (kind, values(value))


def _proxy(value: Mapping[Any, Any]) -> _Taken:
    return frozen, (dict(value),)


def frozen(value: dict[Any, Any]) -> Mapping[Any, Any]:
    """The type itself has no name by which it could be found."""
    return MappingProxyType(value)


_KINDS: Final = (
    *get_args(Row), Section, Reading, Report, Poll, Ping, EvidencePart, Before, Logins, LinkState, Push, Host,
)  # fmt: skip
_TABLE: Final[Mapping[type[Any], Any]] = {
    **copyreg.dispatch_table,
    **{kind: _apart(kind) for kind in _KINDS},
    MappingProxyType: _proxy,
}


def pack(value: object) -> bytes:
    """One parcel. ParcelError when it would be too long."""
    made = io.BytesIO()
    made.write(_LENGTH.pack(0))
    pickler = pickle.Pickler(made, protocol=5)
    pickler.dispatch_table = _TABLE
    pickler.dump(value)
    length = made.tell() - _LENGTH.size
    if length > _LONGEST:
        raise ParcelError(f"a parcel of {length} bytes is too long")
    made.seek(0)
    made.write(_LENGTH.pack(length))
    return made.getvalue()


class Post:
    """One end of the socketpair, which never waits. Belongs to one thread."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._in = bytearray()
        self._out = bytearray()

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something is left to be sent."""
        return bool(self._out)

    def put(self, value: object) -> None:
        """Sends what goes at once; the rest with `flush`. ParcelError when the other end has taken nothing for long."""
        self._out += pack(value)
        if len(self._out) > _MOST_WAITING:
            raise ParcelError("a process of the daemon takes nothing")
        self.flush()

    def flush(self) -> None:
        """Nothing when the other end is gone: reading tells that."""
        while self._out:
            try:
                sent = self._sock.send(memoryview(self._out)[:_AT_ONCE])
            except BlockingIOError:
                return
            except OSError:
                self._out.clear()
                return
            del self._out[:sent]

    def receive(self) -> Iterator[Any]:
        """What has come by now. EOFError when the other end is gone, ParcelError for what is none."""
        try:
            data = self._sock.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        self._in += data
        yield from self._opened()

    def _opened(self) -> Iterator[Any]:
        while len(self._in) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in)
            if length > _LONGEST:
                raise ParcelError(f"a parcel of {length} bytes is too long")
            end = _LENGTH.size + length
            if len(self._in) < end:
                return
            parcel = bytes(self._in[_LENGTH.size : end])
            del self._in[:end]
            yield pickle.loads(parcel)  # noqa: S301 - our own process made it: see above

    def close(self) -> None:
        self._sock.close()

"""Who asks: what a handler is given, and by which it tells the client things before its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from poller.control.connection import Connection
from poller.control.message import Message, ProtocolError, encode
from poller.errors import UsageError

_HINT: Final = "the command and the daemon may not fit"
_RELOAD: Final = "config.xml has changed since the daemon read it: `poller daemon --reload`"
# Characters that are shown of a name that nobody has.
_LONGEST: Final = 100


class Caller:
    """`request` is what the client asked, with its fields. Thread-safe."""

    def __init__(self, request: Message, connection: Connection, closing: threading.Event) -> None:
        self.request = request
        self._connection = connection
        self._closing = closing

    def hosts(self, known: Collection[str]) -> tuple[str, ...]:
        """`hosts` of the request: a list of names that are known. It may be empty, but must be there.

        ProtocolError for what is no list of names, UsageError for a name that is not known.
        """
        names = self.request.get("hosts")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ProtocolError("hosts must be a list of names", _HINT)
        for name in names:
            if name not in known:
                shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
                raise UsageError(f"the daemon does not know {shown!r}", _RELOAD)
        return tuple(names)

    def flag(self, field: str) -> bool:
        """True or false; false when nothing is said of it. ProtocolError for all else."""
        value = self.request.get(field, False)
        if not isinstance(value, bool):
            raise ProtocolError(f"{field} must be true or false", _HINT)
        return value

    def send(self, item: Mapping[str, Any]) -> bool:
        """Tells one thing of a stream and never waits. False when the client is gone: it was let go for not reading."""
        return self._connection.put(encode({"item": item}))

    def deliver(self, item: Mapping[str, Any]) -> bool:
        """As `send`, but waits while the client has much to read still: only in the handler's own thread."""
        return self._connection.put_patiently(encode({"item": item}))

    def wait(self, seconds: float | None = None) -> bool:
        """True as soon as the client is gone or the daemon stops, False after so many seconds."""
        return self._connection.ending.wait(seconds)

    @property
    def stopping(self) -> bool:
        """Whether it is the daemon that ends."""
        return self._closing.is_set()


Handler = Callable[[Caller], Mapping[str, Any]]
"""Answers one kind of request, in a thread of its own. A PollerError reaches the client as what it is."""

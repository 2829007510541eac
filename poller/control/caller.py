"""Who asks: what a handler is given, and by which it tells the client things before its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from poller.control.connection import Connection
from poller.control.message import Message, encode


class Caller:
    """`request` is what the client asked, with its fields. Thread-safe."""

    def __init__(self, request: Message, connection: Connection, closing: threading.Event) -> None:
        self.request = request
        self._connection = connection
        self._closing = closing

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

"""A mail server on loopback that keeps what it gets and passes nothing on. Needs aiosmtpd: the extra `demo`."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast

from poller.errors import UsageError

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

_START_SECONDS: Final = 10.0
_LARGEST: Final = 1024 * 1024
_MOST: Final = 1000


class MailSink:
    """Listens on 127.0.0.1, on a port of its own choosing, between `start` and `stop` (or as a context manager)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-mail", daemon=True)
        self._ready = threading.Event()
        self._messages: list[EmailMessage] = []
        self.port = 0

    def __enter__(self) -> MailSink:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def messages(self) -> tuple[EmailMessage, ...]:
        """What was accepted so far, oldest first."""
        return tuple(self._messages)

    def start(self) -> None:
        """UsageError when aiosmtpd is not installed, or when there is no port to be had."""
        try:
            import aiosmtpd.smtp  # noqa: F401 - found out here, in the caller's thread
        except ImportError:
            raise UsageError(
                "the demo's mail server needs the package aiosmtpd", "pip install 'poller[demo]'"
            ) from None
        # aiosmtpd logs each command and, as a warning, each client that hangs up.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or not self.port:
            self.stop()
            raise UsageError("the demo's mail server cannot listen on 127.0.0.1")

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_START_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd calls this for each message; what it returns is the server's answer."""
        if len(self._messages) >= _MOST:
            return "452 4.3.1 the demo keeps no more mail"
        content = cast("bytes", envelope.content)
        self._messages.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 2.0.0 kept"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            server = self._loop.run_until_complete(self._loop.create_server(self._protocol, "127.0.0.1", 0))
        except OSError:
            self._ready.set()  # without a port: `start` says so
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    def _protocol(self) -> Any:
        from aiosmtpd.smtp import SMTP

        return SMTP(self, hostname="localhost", ident="poller demo", data_size_limit=_LARGEST, loop=self._loop)

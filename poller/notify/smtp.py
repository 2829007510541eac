"""Mail as a `Channel`: the messages of one delivery go over one SMTP connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from types import TracebackType
from typing import Final

from poller.model import Contact, Deadline, Letter, MailServer
from poller.notify.connection import Connection, connect, place
from poller.notify.faults import ChannelDownError
from poller.notify.message import compose, compose_test
from poller.notify.trouble import translate

# A server may take `timeout` for one answer; all answers for one message, and for one delivery, may take this many
# times that. Then the rest waits for the next round: a slow server must not hold up the polls.
_PER_MESSAGE: Final = 4
_PER_DELIVERY: Final = 8


class Smtp:
    """A mail server, for one delivery: as a context manager it keeps its connection until the last message."""

    def __init__(self, mail: MailServer, *, clock: Callable[[], float] = time.time) -> None:
        self._mail = mail
        self._clock = clock
        self._client: Connection | None = None
        self._until = Deadline(_PER_DELIVERY * mail.timeout)

    def __enter__(self) -> Smtp:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._drop()  # Ctrl-C does not wait for a good-bye
        self.close()

    def send(self, letter: Letter) -> None:
        """One mail to one contact. Raises DeliveryError; ChannelDownError when it concerns every mail."""
        self._post(compose(letter, self._mail.sender, self._now_ms()))

    def send_test(self, contact: Contact) -> None:
        """A mail that says only that mail works. Raises as `send` does."""
        self._post(compose_test(contact, self._mail.sender, self._now_ms()))

    def close(self) -> None:
        """Says good-bye if the server still listens. Never raises."""
        client, self._client = self._client, None
        if client is not None:
            client.deadline = Deadline(self._mail.timeout)
            with suppress(OSError):
                client.quit()
            client.close()

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _post(self, message: EmailMessage) -> None:
        if self._until.passed:
            raise ChannelDownError(
                f"{place(self._mail)} is too slow for more mail now", "look at the server and the network", code="slow"
            )
        deadline = Deadline(min(_PER_MESSAGE * self._mail.timeout, self._until.remaining))
        try:
            client = self._connection(deadline)
            client.send_message(
                message,
                from_addr=message["From"].addresses[0].addr_spec,
                to_addrs=[message["To"].addresses[0].addr_spec],
            )
        except OSError as error:
            # `from None`: the original may quote what was sent, and the login is part of that.
            fault = translate(error, place(self._mail))
            if isinstance(fault, ChannelDownError):
                self._drop()
            raise fault from None

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connection(self, deadline: Deadline) -> Connection:
        """The open connection if it still answers, else a new one, encrypted and logged in."""
        if self._client is not None:
            self._client.deadline = deadline
            with suppress(OSError):
                if self._client.noop()[0] == 250:
                    return self._client
            self._drop()
        self._client = connect(self._mail, deadline)
        return self._client

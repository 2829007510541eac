"""An SMTP connection that is encrypted, logged in and bounded in time (RFC 5321, 3207, 8314).

What is never done: a password over a connection that is not encrypted, anything in the clear where STARTTLS was asked
for, a wait without end, a password or a server's answer to one in a message.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any, Final

from poller.config.secret import reveal
from poller.errors import PollerError
from poller.model import Deadline, MailServer
from poller.notify.faults import ChannelDownError

# What smtplib greets with when the name of this machine is not known.
_NAMELESS: Final = "[127.0.0.1]"
_HINT_SECURITY: Final = 'set security="starttls" (usually port 587) or security="tls" (465)'


class Connection(smtplib.SMTP):
    """smtplib bounds each read; a server that drips could hold us for hours. Here all answers share a deadline."""

    def __init__(self, deadline: Deadline, *args: Any, **named: Any) -> None:
        self.deadline = deadline
        super().__init__(*args, **named)

    def getreply(self) -> tuple[int, bytes]:
        watchdog = threading.Timer(self.deadline.remaining, self._cut, (self.sock,))
        watchdog.daemon = True
        watchdog.start()
        try:
            answer = super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            self._check()
            if isinstance(error.__context__, TimeoutError):
                raise error.__context__ from None  # smtplib makes "disconnected" of it
            raise
        finally:
            watchdog.cancel()
        self._check()
        return answer

    def _check(self) -> None:
        if self.deadline.passed:
            self.close()
            raise TimeoutError("the conversation as a whole took too long")

    @staticmethod
    def _cut(sock: socket.socket | None) -> None:
        """Wakes the reader. Not SSLSocket.shutdown: that would take the TLS layer away under it."""
        if sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _TlsConnection(Connection, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


def connect(mail: MailServer, deadline: Deadline) -> Connection:
    """A connection ready for mail. Raises ChannelDownError, or what smtplib, ssl and the socket raise."""
    if mail.security == "none" and (mail.user is not None or mail.password is not None):
        raise ChannelDownError(
            f"{place(mail)}: the password is not sent over a connection that is not encrypted",
            _HINT_SECURITY,
            code="clear",
        )
    _resolve(mail)
    connection = _open(mail, deadline)
    try:
        _secure(connection, mail)
        _login(connection, mail)
    except BaseException:
        connection.close()
        raise
    return connection


def place(mail: MailServer) -> str:
    return f"mail server {mail.server}:{mail.port}"


def _open(mail: MailServer, deadline: Deadline) -> Connection:
    if mail.security == "tls":
        return _TlsConnection(deadline, mail.server, mail.port, _helo(), timeout=mail.timeout, context=_context(mail))
    return Connection(deadline, mail.server, mail.port, _helo(), timeout=mail.timeout)


def _helo() -> str:
    """Our full name if the kernel knows it. smtplib would ask the resolver, which can hang."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name) else _NAMELESS


def _secure(connection: Connection, mail: MailServer) -> None:
    if mail.security != "starttls":
        return
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("starttls"):
        raise ChannelDownError(
            f"{place(mail)} does not offer STARTTLS, or something on the way hides it; nothing was sent",
            "check the server and the network between; " + _HINT_SECURITY,
            code="starttls",
        )
    try:
        connection.starttls(context=_context(mail))
    except smtplib.SMTPResponseException as error:
        raise ChannelDownError(
            f"{place(mail)} refused STARTTLS ({error.smtp_code}); nothing was sent",
            "look at the server's log",
            code="starttls",
        ) from None


def _login(connection: Connection, mail: MailServer) -> None:
    if mail.user is None or mail.password is None:
        return
    try:
        connection.login(mail.user, reveal(mail.password))
    except PollerError as error:
        raise ChannelDownError(error.sentence, error.hint, code="password") from None
    except smtplib.SMTPNotSupportedError:
        raise ChannelDownError(
            f"{place(mail)} offers no login", "check port=, or leave out user=", code="auth"
        ) from None
    except UnicodeError:
        # Its text quotes the character that does not fit: one of the password.
        raise ChannelDownError(
            f"{place(mail)}: user or password holds characters this login cannot carry",
            "use ASCII characters",
            code="auth",
        ) from None


def _context(mail: MailServer) -> ssl.SSLContext:
    """Certificate and name are checked, always; `ca-file` replaces the system's authorities."""
    try:
        return ssl.create_default_context(cafile=mail.ca_file)
    except (OSError, ValueError) as error:
        reason = re.sub(r"\s+", " ", str(error))
        raise ChannelDownError(
            f"cannot use ca-file {mail.ca_file}: {reason}", "it must hold PEM certificates", code="ca"
        ) from None


def _resolve(mail: MailServer) -> None:
    """Finds out within the time-out whether the name resolves: getaddrinfo cannot be interrupted (urllib3 #1334)."""
    outcome: list[Exception | None] = []

    def look_up() -> None:
        try:
            socket.getaddrinfo(mail.server, mail.port, type=socket.SOCK_STREAM)
        except OSError as error:
            outcome.append(error)
        except UnicodeError:
            outcome.append(ChannelDownError(f"{mail.server!a} is no host name", "check server=", code="dns"))
        else:
            outcome.append(None)

    thread = threading.Thread(target=look_up, name="poller-mail-dns", daemon=True)
    thread.start()
    thread.join(mail.timeout)
    if not outcome:
        raise ChannelDownError(f"the resolver did not answer for {mail.server}", "check /etc/resolv.conf", code="dns")
    if outcome[0] is not None:
        raise outcome[0]

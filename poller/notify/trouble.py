"""What smtplib, ssl and the socket raise, as one sentence and a hint: the one table for the mail door.

A fault of the server, the network or our settings is `ChannelDownError`, and what is owed waits. Only an answer about
this one message or recipient is a plain `DeliveryError`: 4xx is tried again, 5xx is final (RFC 5321, 4.2.1).
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Final

from poller.errors import DeliveryError
from poller.notify.faults import ChannelDownError
from poller.notify.plain import plain

# exception, code, sentence after "mail server NAME:PORT ", hint. The first that fits counts.
_TABLE: Final[tuple[tuple[type[OSError], str, str, str], ...]] = (
    (ssl.SSLCertVerificationError, "certificate", "shows a certificate that is not valid",
     "name its authority with ca-file=, and use the name that is in the certificate"),
    (ssl.SSLError, "tls", "does not agree on TLS",
     'check security= and port=: "starttls" is usually 587, "tls" 465'),
    (socket.gaierror, "dns", "has no address: the name does not resolve", "check server= and the resolver"),
    (TimeoutError, "timeout", "did not answer in time", "look at the server and the network between"),
    (ConnectionRefusedError, "refused", "does not listen there", "check server= and port="),
    (smtplib.SMTPAuthenticationError, "auth", "refused the login", "check user= and the password"),
    (smtplib.SMTPServerDisconnected, "closed", "closed the connection", "look at the server's log"),
    (smtplib.SMTPConnectError, "greeting", "does not want to talk", "look at the server's log"),
    (smtplib.SMTPHeloError, "greeting", "refused our greeting", "look at the server's log"),
    (smtplib.SMTPException, "protocol", "does not speak SMTP as expected", "look at the server's log"),
    (OSError, "connect", "cannot be reached", "check server=, port= and the network"),
)  # fmt: skip

# "service not available, closing" and "authentication required": about the session, not about this mail.
_SESSION: Final = {421: "closes the connection", 530: "wants a login or encryption first"}


def translate(error: OSError, place: str) -> DeliveryError:
    """The DeliveryError for what the mail door raised. Never quotes an answer to a login."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        sentence = f"{place} cannot carry an address that is not ASCII"
        return DeliveryError(sentence, "use another address", retry=False, code="address")
    answer = _answer(error)
    if answer is None:
        return _down(error, place)
    code, text = answer
    said = f"{code} {plain(text.decode('utf-8', 'replace'), 200)}"
    if code in _SESSION:
        return ChannelDownError(f"{place} {_SESSION[code]}: {said}", "look at the server's log", code="session")
    if code >= 500:
        return DeliveryError(f"{place} refused the mail for good: {said}", retry=False, code="rejected")
    return DeliveryError(f"{place} did not take the mail now: {said}", retry=True, code="deferred")


def _answer(error: OSError) -> tuple[int, bytes] | None:
    """Code and text when the server judged this sender, recipient or content."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))
    if isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        text = error.smtp_error
        return error.smtp_code, text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    return None


def _down(error: OSError, place: str) -> ChannelDownError:
    if isinstance(error, smtplib.SMTPConnectError) and error.smtp_code < 0:  # what it said begins with no number
        return ChannelDownError(f"{place} does not speak SMTP", "check server= and port=", code="greeting")
    code, sentence, hint = next(row[1:] for row in _TABLE if isinstance(error, row[0]))
    return ChannelDownError(f"{place} {sentence}{_detail(error)}", hint, code=code)


def _detail(error: OSError) -> str:
    """What helps to find the cause, and is not the server's text."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f": {plain(str(error.verify_message), 200)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f" ({error.smtp_code})"
    if error.strerror and not isinstance(error, (smtplib.SMTPException, TimeoutError)):
        return f": {plain(error.strerror, 200)}"
    return ""

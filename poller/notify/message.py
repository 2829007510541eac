"""A letter -> one mail, as text and as HTML, with its evidence. Pure: the moment of sending is passed in.

Threads: a Message-ID is made from what the mail tells (alert, recipient, number), so a repeated mail carries the
id it had. The mail that tells of one alert for the first time has that alert's own id; every other mail names the
ids of all its alerts, oldest alert first, in References, and the oldest one's in In-Reply-To (RFC 5322, 3.6.4).
Because mails that tell of several alerts name them all, mail programs join them even then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Final

from poller.errors import DeliveryError
from poller.model import Contact, Letter, Notification
from poller.notify.attachment import attachments
from poller.notify.body import text
from poller.notify.identity import digest, identity, root
from poller.notify.page import page
from poller.notify.plain import plain
from poller.notify.subject import headline

# A mail about hundreds of alerts needs no kilobytes of References: these many threads are joined.
_REFERENCES: Final = 20
# Mail servers refuse headers that are too long: Postfix from 100 KiB on (postconf(5), header_size_limit).
_NAMED: Final = 1000


class _Unfolded(EmailPolicy):
    """A subject of plain letters is one line (of 998 bytes at most: RFC 5322, 2.1.1), as `headline` has bounded it.

    The email package begins one of about 75 letters with a line break, and simple programs see an empty subject.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "Subject" and value.isascii():
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_POLICY: Final = _Unfolded(linesep=SMTP.linesep)


def compose(letter: Letter, sender: str, now_ms: int) -> EmailMessage:
    """The mail that brings `letter` (one notification or more, oldest first) to its contact.

    Raises DeliveryError for an address that is none. Foreign text cannot add a header: it is escaped to one line.
    """
    message = _envelope(letter.contact, sender, now_ms)
    message["Subject"] = headline(letter)
    domain = _domain(message)
    own = _id(identity(letter), domain)
    message["Message-ID"] = own
    threads = [thread for thread in _threads(letter.notifications, domain) if thread != own]
    if threads:
        message["In-Reply-To"] = threads[0]
        message["References"] = " ".join(threads)
    message["Poller-Notifications"] = " ".join(plain(one.id, 64) for one in letter.notifications[:_NAMED])
    files = attachments(letter)
    names = [file.name for file in files]
    message.set_content(text(letter, names), cte="quoted-printable")
    message.add_alternative(page(letter, names), subtype="html", cte="quoted-printable")
    for file in files:
        message.add_attachment(file.text, filename=file.name, cte="quoted-printable")
    return message


def compose_test(contact: Contact, sender: str, now_ms: int) -> EmailMessage:
    """The mail of `poller notify test`."""
    message = _envelope(contact, sender, now_ms)
    message["Subject"] = f"[TEST] poller can reach {plain(contact.name, 80)}"
    message["Message-ID"] = _id(digest(("test", contact.name, str(now_ms))), _domain(message))
    message.set_content(
        "This is a test message of poller. Nothing is wrong: alerts will arrive the same way.\n",
        cte="quoted-printable",
    )
    return message


def mailbox(text: str, *, retry: bool = False) -> Address:
    """The one address in `text` (`name@example.org` or `Name <name@example.org>`), or DeliveryError."""
    addresses: tuple[Address, ...] = ()
    try:
        header = SMTP.header_factory("To", text)
        if text == plain(text) and not header.defects:
            addresses = header.addresses
    except (HeaderParseError, ValueError, IndexError, AttributeError):
        pass  # The parser of the standard library has several ways to stumble over what is no address.
    if len(addresses) != 1 or not addresses[0].username or not addresses[0].domain:
        sentence = f"{text!a} is not a mail address"
        raise DeliveryError(sentence, "write it as name@example.org", retry=retry, code="address")
    return addresses[0]


def _envelope(contact: Contact, sender: str, now_ms: int) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = mailbox(sender, retry=True)
    message["To"] = mailbox(contact.mail)
    message["Date"] = datetime.fromtimestamp(now_ms // 1000, timezone.utc)
    # RFC 3834: vacation programs and the like must not answer.
    message["Auto-Submitted"] = "auto-generated"
    return message


def _domain(message: EmailMessage) -> str:
    """The right side of our ids: the sender's domain, as far as ids may hold it."""
    domain: str = message["From"].addresses[0].domain
    # A longer one would not fit on a folded line, and the email package would then encode the id as a word.
    return domain if re.fullmatch(r"[A-Za-z0-9.-]{1,30}", domain) else "poller.invalid"


def _threads(notifications: Sequence[Notification], domain: str) -> list[str]:
    oldest = sorted({one.alert.id: one for one in notifications}.values(), key=lambda one: one.alert.opened_ms)
    return [_id(root(one.alert, one.recipient), domain) for one in oldest[:_REFERENCES]]


def _id(identity: str, domain: str) -> str:
    return f"<poller.{identity}@{domain}>"

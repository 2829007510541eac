"""Would a mail get through? Goes as far as one can without sending it: for `poller doctor`."""

from __future__ import annotations

from contextlib import suppress

from poller.model import Deadline, MailServer
from poller.notify.connection import connect, place
from poller.notify.trouble import translate


def check(mail: MailServer) -> None:
    """Connects, encrypts and logs in as a delivery does, and says good-bye. DeliveryError."""
    try:
        connection = connect(mail, Deadline(mail.timeout))
    except OSError as error:
        # `from None`: the original may quote what was sent, and the login is part of that.
        raise translate(error, place(mail)) from None
    with suppress(OSError):
        connection.quit()
    connection.close()

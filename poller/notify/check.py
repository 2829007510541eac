"""Would a message get through? Goes as far as one can without sending it: for `poller doctor`."""

from __future__ import annotations

import shutil
from contextlib import suppress
from urllib.parse import urlsplit

from poller.config.secret import address, reveal
from poller.errors import DeliveryError, PollerError
from poller.model import ChannelSettings, Deadline, MailServer
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


def check_channel(settings: ChannelSettings) -> None:
    """Reads its secrets and looks whether they can be of use; asks nobody. DeliveryError."""
    try:
        url = address(settings.url, settings.address)
        if settings.secret:
            reveal(settings.secret)
    except PollerError as error:
        raise _unusable(error.sentence, error.hint) from None
    if settings.kind == "command":
        if shutil.which(settings.command[0]) is None:
            raise _unusable(f"{settings.command[0]} is no program that we may run", "check command= in config.xml")
    elif settings.kind == "webhook":
        if not _is_web_address(url):
            raise _unusable("its address is none", "write it as https://name/path")
    else:
        from poller.notify.service import understood

        if not understood(url):
            raise _unusable("Apprise does not understand its URL", "docs/channels.md has examples")


def _is_web_address(text: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    return False


def _unusable(sentence: str, hint: str) -> DeliveryError:
    return DeliveryError(sentence, hint, retry=False, code="settings")

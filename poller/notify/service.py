"""SMS, chats and a hundred services more as a `Channel`, by Apprise: https://github.com/caronc/apprise

Apprise says only whether a message was taken, not whether trying again helps. So a refusal counts as passing until
a notification was tried five times; then it is for good, and the next channel of the contact gets its turn.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from poller.config.secret import address
from poller.errors import DeliveryError, PollerError
from poller.model import ChannelSettings, Contact, Letter
from poller.notify.bounded import within
from poller.notify.faults import ChannelDownError
from poller.notify.short import short
from poller.notify.subject import latest, over

if TYPE_CHECKING:
    from apprise import NotifyBase, NotifyType

TRIES: Final = 5


class Service:
    """What the URL of Apprise names. It is read anew for each message and kept nowhere."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._who = f"channel {settings.name}"

    def send(self, letter: Letter) -> None:
        """One short text. Raises DeliveryError; ChannelDownError as long as trying again may help."""
        title, text = short(letter)
        tried = 1 + max((one.attempts for one in letter.notifications), default=0)
        self._notify(title, text, tried, over=all(map(over, latest(letter.notifications))))

    def send_test(self, contact: Contact) -> None:
        """A text that says that it is a test. Raises as `send` does."""
        self._notify("[TEST] poller can reach you", "Nothing is wrong: alerts will arrive the same way.", 1, over=True)

    def close(self) -> None:
        """Nothing is held open."""

    def _notify(self, title: str, text: str, tried: int, *, over: bool) -> None:
        try:
            url = address(self._settings.url, "")
        except PollerError as error:
            raise ChannelDownError(error.sentence, error.hint, code="secret") from None
        try:
            taken = within(self._settings.timeout, lambda: _notify(url, title, text, over=over))
        except TimeoutError:
            raise ChannelDownError(
                f"{self._who} did not answer in {self._settings.timeout:g} s", "look at the service and the network",
                code="timeout",
            ) from None  # fmt: skip
        if taken is None:
            raise ChannelDownError(
                f"{self._who}: Apprise does not understand its URL",
                "one URL as Apprise documents it for the service: docs/channels.md has examples",
                code="address",
            )
        if not taken:
            self._refused(tried)

    def _refused(self, tried: int) -> None:
        if tried >= TRIES:
            raise DeliveryError(
                f"{self._who} did not take the message in {tried} tries", "check the URL and the account there",
                retry=False, code="rejected",
            )  # fmt: skip
        raise ChannelDownError(
            f"{self._who} did not take the message", "check the URL, the account and the network", code="deferred"
        )


def _notify(url: str, title: str, text: str, *, over: bool) -> bool | None:
    """Whether the service took it; None when the URL is none. Never raises anything that quotes the URL."""
    _silence()
    from apprise import Apprise, NotifyType

    try:
        service = _service(url)
        if service is None:
            return None
        apprise = Apprise()
        apprise.add(service)
        kind: NotifyType = NotifyType.SUCCESS if over else NotifyType.WARNING
        return bool(apprise.notify(body=text, title=title, notify_type=kind, body_format="text"))
    except Exception:  # of a plugin; its text may quote the URL
        return False


def understood(url: str) -> bool:
    """Whether Apprise knows what to do with it. Asks nobody."""
    _silence()
    return _service(url) is not None


def _service(url: str) -> NotifyBase | None:
    """One service that follows no redirect, keeps nothing on disk and starts no pool of threads. None: that is no URL.

    Of two URLs one could take the message and the other not, and then nobody knows what to send again.
    """
    if len(url.split()) != 1:
        return None
    from apprise import Apprise, AppriseAsset, PersistentStoreMode
    from apprise.plugins import NotifyBase

    asset = AppriseAsset(
        app_id="poller",
        app_desc="poller",
        app_url="",
        storage_mode=PersistentStoreMode.MEMORY,
        # Our own limit holds: with one of theirs, threads that wait would keep the poller from ending.
        service_timeout=0,
        async_mode=False,
        http_redirects=False,
        interpret_emojis=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    made = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    return made if isinstance(made, NotifyBase) else None


def _silence() -> None:
    """Apprise and what it uses log addresses, some with their secrets."""
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

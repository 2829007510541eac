"""A webhook as a `Channel`: one POST of JSON per message, signed when there is a secret."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final

from poller.config.secret import address, reveal
from poller.errors import DeliveryError, PollerError
from poller.model import ChannelSettings, Contact, Letter
from poller.notify.document import document, encoded, trial
from poller.notify.faults import ChannelDownError
from poller.notify.post import Answer, post

# RFC 9110 and 6585: about the moment, not about this message. A 500 may be about this one.
_LATER: Final = (408, 425, 500)
_NOBODY_NOW: Final = (429, 502, 503, 504)


class Webhook:
    """A server that takes JSON. Its address is in no error and no log: it may be the secret."""

    def __init__(self, settings: ChannelSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._who = f"webhook {settings.name}"

    def send(self, letter: Letter) -> None:
        """One POST. Raises DeliveryError; ChannelDownError when it concerns every message."""
        self._post(document(letter, int(self._clock() * 1000)))

    def send_test(self, contact: Contact) -> None:
        """A document without notifications. Raises as `send` does."""
        self._post(trial(contact, int(self._clock() * 1000)))

    def close(self) -> None:
        """Nothing is held open."""

    def _post(self, told: dict[str, Any]) -> None:
        body = encoded(told)
        try:
            url = address(self._settings.url, self._settings.address)
            secret = reveal(self._settings.secret) if self._settings.secret else ""
        except PollerError as error:
            raise ChannelDownError(error.sentence, error.hint, code="secret") from None
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": told["id"],
            "Poller-Message": told["id"],
        }
        if secret:
            headers["Poller-Signature"] = signature(body, secret, int(self._clock()))
        _judge(post(url, body, headers, timeout=self._settings.timeout, who=self._who), self._who)


def signature(body: bytes, secret: str, at: int) -> str:
    """`t=UNIX,v1=HEX`: HMAC-SHA256 (RFC 2104) of `t`, a dot and the body, so that an old one cannot be sent anew."""
    mark = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mark}"


def _judge(answer: Answer, who: str) -> None:
    said = f"{answer.status} {answer.text}".strip()
    if 200 <= answer.status < 300:
        return
    if answer.status in _NOBODY_NOW:
        raise ChannelDownError(f"{who} takes nothing now: {said}", "look at the server", code="away")
    if answer.status in _LATER or answer.status >= 500:
        raise DeliveryError(f"{who} did not take the message now: {said}", retry=True, code="deferred")
    if 300 <= answer.status < 400:
        raise DeliveryError(
            f"{who} sends us elsewhere ({answer.status})", "put the new address into config.xml", retry=False,
            code="redirect",
        )  # fmt: skip
    raise DeliveryError(f"{who} refused the message for good: {said}", retry=False, code="rejected")

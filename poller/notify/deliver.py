"""What is owed -> messages -> a channel, one contact after the other; each is marked once it was accepted.

At least once: a poller that dies between acceptance and mark sends that message again, with the same Message-ID.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from poller.errors import DeliveryError
from poller.model import Channel, Config, Notification, Outbox
from poller.notify.faults import ChannelDownError

_log = logging.getLogger(__name__)
_VANISHED: Final = "the contact is no longer in config.xml"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages (one per contact) accepted, kept for a later try, and given up; `errors` says why, once per cause."""

    sent: int = 0
    kept: int = 0
    given_up: int = 0
    errors: tuple[str, ...] = ()

    def __add__(self, later: Delivery) -> Delivery:
        """Both together."""
        errors = tuple(dict.fromkeys(self.errors + later.errors))
        return Delivery(self.sent + later.sent, self.kept + later.kept, self.given_up + later.given_up, errors)


def deliver(outbox: Outbox, config: Config, channel: Channel, now_ms: int) -> Delivery:
    """Sends one message per contact with everything it is owed, oldest first.

    Never raises for the channel: what it does not take stays in the outbox, or is given up when trying again
    cannot help. The first sign that the channel is down keeps the rest, so that a dead server costs one
    time-out and not one per contact. Raises StoreError when the outbox cannot be written.
    """
    parcels = _by_recipient(outbox.owed())
    down: DeliveryError | None = None
    tally: dict[str, int] = {"sent": 0, "kept": 0, "given_up": 0}
    errors: dict[str, None] = {}
    for recipient, notifications in parcels.items():
        error = down or _send(config, channel, recipient, notifications)
        ids = [one.id for one in notifications]
        if error is None:
            outbox.delivered(ids, now_ms)
            tally["sent"] += 1
            continue
        down = error if isinstance(error, ChannelDownError) else None
        outbox.failed(ids, error.sentence, retry=error.retry, now_ms=now_ms)
        tally["kept" if error.retry else "given_up"] += 1
        errors[error.sentence if down else f"{recipient!a}: {error.sentence}"] = None
    return Delivery(**tally, errors=tuple(errors))


def _by_recipient(notifications: Sequence[Notification]) -> Mapping[str, Sequence[Notification]]:
    parcels: dict[str, list[Notification]] = {}
    for notification in notifications:
        parcels.setdefault(notification.recipient, []).append(notification)
    return parcels


def _send(
    config: Config, channel: Channel, recipient: str, notifications: Sequence[Notification]
) -> DeliveryError | None:
    """None when the message was accepted, else why not."""
    contact = config.contact(recipient)
    if contact is None:
        return DeliveryError(_VANISHED, "add the contact again to be told", retry=False, code="contact")
    try:
        channel.send(contact, notifications)
    except DeliveryError as error:
        return error
    except Exception as error:
        # A fault of ours with one message must not cost the other contacts theirs, nor the round its end.
        _log.error("no message for %s: %s", ascii(recipient), ascii(error))
        return DeliveryError(f"a fault of the poller: {type(error).__name__}", retry=True, code="fault")
    return None

"""By which channel a contact is told: in the order of the contact, from where an earlier attempt ended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from poller.model import Config, Contact, Pending

_FIRST_WAIT_MS: Final = 15_000
_LONGEST_WAIT_MS: Final = 60_000


def route(contact: Contact, pending: Sequence[Pending], channels: Collection[str]) -> tuple[str, ...]:
    """The names of the channels to try, best first; none when `channels`, those of config.xml, has none of them.

    The oldest that was tried decides: a channel that refused it for good is not tried again for what comes after it.
    """
    known = tuple(name for name in dict.fromkeys(contact.channels) if name in channels)
    tried = next((one.channel for one in pending if one.channel in known), "")
    return known[known.index(tried) :] if tried else known


def back_off_ms(attempts: int) -> int:
    """How long a channel is left alone after so many attempts, this one not counted: 15 s, doubling to 60 s."""
    return min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS << min(attempts, 8))


def waits(pending: Sequence[Pending], now_ms: int) -> bool:
    """Whether one of them says that it is too early. A clock that was set back does not make that longer."""
    return any(0 < one.retry_ms - now_ms <= _LONGEST_WAIT_MS for one in pending)


def quota(config: Config, channel: str) -> int:
    """Messages that a channel may send a day; 0 for any number."""
    if channel == "mail":
        return config.mail.quota if config.mail else 0
    settings = config.channel(channel)
    return settings.quota if settings else 0

"""Carries one message after the other to the channels of its contact, and has the outbox note what became of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from poller.errors import DeliveryError
from poller.model import ChangeKind, Channel, Config, Contact, Letter, Message, Outbox, Pending
from poller.notify.faults import ChannelDownError
from poller.notify.gate import quota_reason
from poller.notify.identity import identity
from poller.notify.route import back_off_ms, quota, route, waits
from poller.notify.subject import headline

_log = logging.getLogger(__name__)
_DAY_MS: Final = 86_400_000
_NEWS: Final = frozenset({ChangeKind.OPENED, ChangeKind.ROSE, ChangeKind.FLAPPING, ChangeKind.ESCALATED})


@dataclass(frozen=True, slots=True)
class Errand:
    """What one contact is to be told by one message, oldest first."""

    contact: Contact
    pending: tuple[Pending, ...]
    digest: bool = False

    @property
    def ids(self) -> list[str]:
        return [one.notification.id for one in self.pending]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message; all False: a quota kept it. `errors` are sentences, and if they concern everybody."""

    sent: bool = False
    kept: bool = False
    given_up: bool = False
    errors: tuple[tuple[str, bool], ...] = ()


class Postman:
    """For one pass over the outbox: remembers which channels are down, and how much of their quotas is left.

    A `patient` one leaves a channel alone for a while after it failed.
    """

    def __init__(
        self, outbox: Outbox, config: Config, channels: Mapping[str, Channel], now_ms: int, *, patient: bool
    ) -> None:
        self._outbox = outbox
        self._config = config
        self._channels = channels
        self._now_ms = now_ms
        self._patient = patient
        self._down: dict[str, ChannelDownError] = {}
        self._midnight_ms = now_ms - now_ms % _DAY_MS  # UTC
        self._sent = dict(outbox.sent_since(self._midnight_ms))

    def carry(self, errand: Errand) -> Outcome:
        """Tries the channels of the contact one after the other as long as they refuse for good."""
        names = route(errand.contact, errand.pending, self._channels)
        if not names:
            nowhere = f"config.xml has none of the channels of {errand.contact.name!a}"
            return self._keep(errand, DeliveryError(nowhere, retry=True, code="channel"), "")
        if self._patient and waits(errand.pending, self._now_ms):
            return Outcome(kept=True)
        errors: list[tuple[str, bool]] = []
        for name, following in zip(names, (*names[1:], ""), strict=True):
            if self._used_up(name) and not self._overdue(errand):
                return self._by_quota(errand, name, errors)
            error = self._down.get(name) or self._send(errand, name)
            if error is None:
                return Outcome(sent=True, errors=tuple(errors))
            errors.append((error.sentence, name in self._down))
            if error.retry:
                return self._keep(errand, error, name, errors)
            self._failed(errand.ids, error, following or name, self._now_ms if following else None)
        return Outcome(given_up=True, errors=tuple(errors))

    def give_up(self, pending: Sequence[Pending], why: str) -> Outcome:
        """Nobody can be told of these."""
        ids = [one.notification.id for one in pending]
        self._failed(ids, DeliveryError(why, retry=False, code="contact"), "", None)
        return Outcome(given_up=True, errors=((why, False),))

    def _send(self, errand: Errand, name: str) -> DeliveryError | None:
        """None when it was accepted, else why not."""
        letter = self._letter(errand, name)
        try:
            subject = headline(letter)
            self._channels[name].send(letter)
        except ChannelDownError as error:
            self._down[name] = error
            return error
        except DeliveryError as error:
            return error
        except Exception as error:
            # A fault of ours with one message must not cost the other contacts theirs, nor the round its end.
            _log.error("no message for %s: %s", ascii(errand.contact.name), ascii(error))
            return DeliveryError(f"a fault of the poller: {type(error).__name__}", retry=True, code="fault")
        self._accepted(errand, letter, name, subject)
        return None

    def _accepted(self, errand: Errand, letter: Letter, name: str, subject: str) -> None:
        message = Message(
            id=identity(letter),
            contact=errand.contact.name,
            channel=name,
            sent_ms=self._now_ms,
            subject=subject,
            notifications=tuple(errand.ids),
            digest=errand.digest,
        )
        self._outbox.delivered(message)
        if not errand.digest:
            self._sent[name] = self._sent.get(name, 0) + 1

    def _letter(self, errand: Errand, name: str) -> Letter:
        notifications = tuple(one.notification for one in errand.pending)
        alerts = dict.fromkeys(one.alert.id for one in notifications if one.kind in _NEWS)
        return Letter(
            contact=errand.contact,
            notifications=notifications,
            evidence=self._outbox.evidence(tuple(alerts)) if alerts else {},
            digest=errand.digest,
            note="" if errand.digest else self._note(name),
        )

    def _note(self, name: str) -> str:
        """What goes with the message that uses the quota up."""
        most = quota(self._config, name)
        if not most or self._sent.get(name, 0) + 1 < most:
            return ""
        number = f"message {most} of {most}" if most > 1 else "the one message"
        return (
            f"This is {number} that the channel {name} may send today (UTC). "
            "Whatever else happens today comes as one digest tomorrow."
        )

    def _used_up(self, name: str) -> bool:
        most = quota(self._config, name)
        return bool(most) and self._sent.get(name, 0) >= most

    def _overdue(self, errand: Errand) -> bool:
        """Whether it is the digest of another day: that goes though others were told enough to use this day up."""
        return errand.digest and any(one.notification.at_ms < self._midnight_ms for one in errand.pending)

    def _by_quota(self, errand: Errand, name: str, errors: Sequence[tuple[str, bool]]) -> Outcome:
        """For the digest of the next day."""
        why = quota_reason(name)
        ids = [one.notification.id for one in errand.pending if one.held != why]
        if ids:
            self._outbox.hold(ids, why)
        return Outcome(errors=tuple(errors))

    def _keep(
        self, errand: Errand, error: DeliveryError, name: str, errors: Sequence[tuple[str, bool]] | None = None
    ) -> Outcome:
        attempts = max(one.notification.attempts for one in errand.pending)
        self._failed(errand.ids, error, name, self._now_ms + back_off_ms(attempts))
        return Outcome(kept=True, errors=tuple(errors or ((error.sentence, False),)))

    def _failed(self, ids: Sequence[str], error: DeliveryError, channel: str, retry_ms: int | None) -> None:
        self._outbox.failed(ids, error.sentence, self._now_ms, channel=channel, retry_ms=retry_ms)

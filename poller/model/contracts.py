"""Interfaces that two packages share: who implements one does not know who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from poller.model.alert import Notification
from poller.model.settings import Contact


class Channel(Protocol):
    """A way to reach people. One call is one message to one contact."""

    def send(self, contact: Contact, notifications: Sequence[Notification]) -> None:
        """Returns when the message was accepted; raises DeliveryError, which says whether to try again."""


class Outbox(Protocol):
    """Notifications that are owed, oldest first, and what became of them."""

    def owed(self) -> Sequence[Notification]:
        """Every notification that is neither delivered nor given up."""

    def delivered(self, ids: Sequence[str], now_ms: int) -> None: ...

    def failed(self, ids: Sequence[str], error: str, *, retry: bool, now_ms: int) -> None:
        """Keeps them for the next try, or gives them up as undeliverable, with the reason."""

"""Interfaces that two packages share: who implements one does not know who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

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


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row must fulfil. `in` takes a non-empty tuple, `is` None; a comparison is never true of NULL."""

    column: str
    sign: Literal["=", "<", "<=", ">", ">=", "in", "is"]
    value: Any


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows of one table, which columns of them, in which order.

    `after` holds values of the columns in `order`: only rows beyond them are wanted, so that a long answer can be
    read in pages. Text is ordered by code point; only texts of ours (ids) are ordered by.
    """

    table: str
    columns: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    order: tuple[str, ...] = ()
    after: tuple[Any, ...] | None = None
    limit: int | None = None


class Archive(Protocol):
    """A place for history, all tables of the schema in it. Belongs to the thread that opened it.

    Every method raises StoreError. Codes: `away` (not now, whatever the data), `denied`, `absent` (no database or no
    schema), `older`, `newer` and `edited` (another schema), `busy` (repeat the whole transaction), `data` (these rows
    can never be stored), `store` (anything else).
    """

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""

    def check(self) -> int:
        """The version of its schema, which is the one of this program; else StoreError."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside is stored when the block ends, and nothing of it when it raises."""

    def find(self, question: Question) -> list[tuple[Any, ...]]:
        """All rows asked for, at once."""

    def count(self, table: str) -> int: ...

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, current: bool) -> None:
        """Stores rows; one that is there already is brought up to date, or left alone where nothing can change.

        `current` rows say how things are now and win. Otherwise they may be old, and the newer of two rows wins.
        """

    def remove(self, table: str, conditions: Sequence[Condition], limit: int) -> int:
        """Deletes up to `limit` rows, which ones is left open; returns how many."""

    def tidy(self) -> None:
        """After much was removed: gives space back where that is not done by itself."""

    def close(self) -> None: ...

"""Interfaces that two packages share: who implements one does not know who uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from poller.model.alert import Letter, Message, Pending, Silence
from poller.model.evidence import EvidencePart


class Channel(Protocol):
    """A way to reach people. One call is one message to one contact."""

    def send(self, letter: Letter) -> None:
        """Returns when the message was accepted; raises DeliveryError, which says whether to try again."""


class Outbox(Protocol):
    """What people are owed, oldest first, and what became of it. Every answer is stored at once."""

    def pending(self) -> Sequence[Pending]:
        """Every notification that is neither delivered, given up nor suppressed; nothing while another one delivers.

        Without those that are held back because the poller or a gateway lost its network.
        """

    def evidence(self, alert_ids: Sequence[str]) -> Mapping[str, tuple[EvidencePart, ...]]: ...

    def silences(self, now_ms: int) -> Sequence[Silence]:
        """Those in force."""

    def sent_since(self, since_ms: int) -> Mapping[str, int]:
        """channel -> messages accepted since then, digests left out."""

    def last_sent(self) -> Mapping[str, int]:
        """contact -> the instant of the newest message to it."""

    def delivered(self, message: Message) -> None:
        """The message and its notifications are done with."""

    def failed(self, ids: Sequence[str], error: str, now_ms: int, *, channel: str, retry_ms: int | None) -> None:
        """Tried and not accepted: to be tried by `channel` and not before `retry_ms`; None gives them up for good."""

    def hold(self, ids: Sequence[str], why: str) -> None:
        """Keeps them back for a reason that may pass: `silence 1f2e`, `downtime nightly`, `hours`, `quota mail`."""

    def release(self, ids: Sequence[str]) -> None:
        """What was held back is owed again."""

    def suppress(self, ids: Sequence[str], why: str, now_ms: int) -> None:
        """Never to be sent, and why: `short`, `silence 1f2e`, ..."""


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


class Ledger(Protocol):
    """A database whose samples are rolled up where they are, by SQL of ours. Raises StoreError as `Archive` does."""

    @property
    def dialect(self) -> Literal["sqlite", "mysql"]: ...

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """All rows of a SELECT without parameters."""

    def execute(self, text: str) -> int:
        """One statement without parameters; returns the number of rows it changed."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside is stored when the block ends, and nothing of it when it raises."""


class Crossing(Protocol):
    """A way by which samples reach an archive from the journal without passing through the program."""

    def take(self, polls: Sequence[tuple[str, int, int]], things: Iterable[tuple[str, int, int, int]]) -> int:
        """The samples of these polls (id, host, instant), inside a transaction of the archive; how many rows.

        `things`: what samples belong to, as (inventory, host, id there, id in the journal); a host is a thing of its
        own. Those of an earlier call are known until `forget`. StoreError as `Archive`.
        """

    def forget(self) -> None:
        """After a rollback: ids that were given inside it are not true."""

    def close(self) -> None:
        """Outside of transactions; what the archive does otherwise goes on."""


class Archive(Ledger, Protocol):
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

    def find(self, question: Question) -> list[tuple[Any, ...]]:
        """All rows asked for, at once."""

    def count(self, table: str) -> int: ...

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, current: bool) -> None:
        """Stores rows; one that is there already is brought up to date, or left alone where nothing can change.

        `current` rows say how things are now and win. Otherwise they may be old, and the newer of two rows wins.
        """

    def remove(self, table: str, conditions: Sequence[Condition], limit: int) -> int:
        """Deletes up to `limit` rows, which ones is left open; returns how many."""

    def attach(self, journal: Path) -> Crossing | None:
        """None where there is no such way: rows have to be put."""

    def tidy(self) -> None:
        """After much was removed: gives space back where that is not done by itself."""

    def close(self) -> None: ...

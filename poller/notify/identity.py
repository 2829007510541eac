"""What makes a message the same as before: the id that its repetition carries, whichever channel takes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from poller.model import Alert, Letter


def identity(letter: Letter) -> str:
    """32 hexadecimal digits, made of what the letter tells (alert, recipient, number) and of nothing else."""
    return digest(_mark(one.alert, one.recipient, one.number) for one in letter.notifications)


def root(alert: Alert, recipient: str) -> str:
    """The identity of a letter that tells `recipient` of `alert` alone, and for the first time."""
    return digest((_mark(alert, recipient, 1),))


def digest(marks: Iterable[str]) -> str:
    return hashlib.sha256("\n\n".join(marks).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _mark(alert: Alert, recipient: str, number: int) -> str:
    """Names one notification for good; ids of the journal would differ if it were made anew."""
    return f"{alert.id}\n{recipient}\n{number}"

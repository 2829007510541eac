"""One change before it is an event, and the words of its details."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from poller.model import Severity

# Of one kind and poll; the rest is one event that counts them. A host that starts brings hundreds of mounts.
MOST: Final = 100
LONGEST: Final = 1000  # characters of one event's details


@dataclass(frozen=True, slots=True)
class Told:
    """One change before it is an event.

    `about` are the names by which changes of one insertion know each other: the USB port, and what the kernel calls
    the disk or the card that hangs on it. Empty for what belongs to nothing.
    """

    kind: str
    severity: Severity
    details: str
    about: tuple[str, ...] = ()


def cut(text: str) -> str:
    """Details that fit."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def joined(*words: str) -> str:
    """Those that are not empty, with spaces."""
    return cut(" ".join(word for word in words if word))

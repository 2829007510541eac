"""A secret by reference: what config.xml says of a password, never the password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Secret:
    """`kind` says where it is read from when it is used; it is never kept here."""

    kind: Literal["file", "env"]
    reference: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.reference}"

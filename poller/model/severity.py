"""How bad something is: of thresholds, alerts and events."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Ordered: a higher one is worse."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    def __str__(self) -> str:
        return _NAMES[self]  # asked for often, and `name` of an enum is slow

    @classmethod
    def parse(cls, text: str) -> Severity:
        return cls[text.upper()]


_NAMES = {severity: severity.name.lower() for severity in Severity}

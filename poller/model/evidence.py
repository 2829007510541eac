"""What a host was busy with when something went wrong there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidencePart:
    """What a host was busy with when a rule was breached: `part` is processes, sockets or kernel; text with lines."""

    part: str
    at_ms: int
    text: str

"""The sections that a watch reads anew; only those that are another than last time are told."""

from remote_probe import collect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Sequence, Tuple

    from remote_probe.collect import Reading
    from remote_probe.host import Host


class Readings:
    """Remembers what was told of each section."""

    def __init__(self) -> None:
        self._told: "Dict[str, Tuple[object, ...]]" = {}

    def changed(self, host: "Host", names: "Sequence[str]") -> "Optional[Reading]":
        """What is now seen of the sections that changed, each wholly; None when none did."""
        reading = collect.Reading(names)
        reading.fill(host)
        fresh = []
        for section in reading.sections:
            status, reason, _, rows = section.outcome
            if self._told.get(section.name) != (status, reason, rows):
                self._told[section.name] = status, reason, rows
                fresh.append(section)
        reading.sections = fresh
        return reading if fresh else None

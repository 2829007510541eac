"""The built-in threshold set `default`, for hosts that name no set of their own.

CPU and memory at 80 percent are the limits this program began with. The holds keep a backup or a compiler from waking
people; `clear` below the limit keeps a value that hovers around it from opening one alert after the other.
"""

from __future__ import annotations

from typing import Final

from poller.config.limits import DOWN, Limit
from poller.model import Hold, Severity, Threshold

NAME: Final = "default"


def _above(metric: str, above: float, clear: float, hold: Hold, severity: Severity = Severity.MEDIUM) -> Limit:
    return Limit(Threshold(metric, (), float(above), None, float(clear), hold, severity, where=NAME))


# Down is down for as long as the host's down-after= says: hence not `held`.
HOST_DOWN: Final = Limit(Threshold(DOWN, (), 0.0, severity=Severity.HIGH, where=NAME), held=False)

LIMITS: Final = (
    _above("cpu.percent", 80, 70, Hold(seconds=300.0)),
    _above("memory.percent", 80, 75, Hold(seconds=300.0)),
    _above("swap.percent", 50, 40, Hold(seconds=300.0), Severity.LOW),
    _above("disk.percent", 80, 78, Hold()),
    _above("disk.percent", 95, 93, Hold(), Severity.HIGH),
    _above("disk.inodes_percent", 80, 78, Hold()),
    _above("disk.inodes_percent", 95, 93, Hold(), Severity.HIGH),
    HOST_DOWN,
)

"""The built-in threshold sets: `default`, for hosts that name no set of their own, and that of the poller itself.

CPU and memory at 80 percent are the limits this program began with. The holds keep a backup or a compiler from waking
people; `clear` below the limit keeps a value that hovers around it from opening one alert after the other.
"""

from __future__ import annotations

from typing import Final

from poller.config.limits import DOWN, SECURITY, Limit
from poller.model import Hold, Severity, Threshold

NAME: Final = "default"


def _above(metric: str, above: float, clear: float, hold: Hold, severity: Severity = Severity.MEDIUM) -> Limit:
    return Limit(Threshold(metric, (), float(above), None, float(clear), hold, severity, where=NAME))


def _below(metric: str, below: float, clear: float, hold: Hold, severity: Severity = Severity.MEDIUM) -> Limit:
    return Limit(Threshold(metric, (), None, float(below), float(clear), hold, severity, where=NAME))


# Down is down for as long as the host's down-after= says: hence not `held`.
HOST_DOWN: Final = Limit(Threshold(DOWN, (), 0.0, severity=Severity.HIGH, where=NAME), held=False)

# Once is enough: nobody wants to hear of a stranger in the third poll. Over when a poll brings a report again.
HOST_SECURITY: Final = Limit(Threshold(SECURITY, (), 0.0, severity=Severity.HIGH, where=NAME))

LIMITS: Final = (
    _above("cpu.percent", 80, 70, Hold(seconds=300.0)),
    _above("memory.percent", 80, 75, Hold(seconds=300.0)),
    _above("swap.percent", 50, 40, Hold(seconds=300.0), Severity.LOW),
    _above("disk.percent", 80, 78, Hold()),
    _above("disk.percent", 95, 93, Hold(), Severity.HIGH),
    _above("disk.inodes_percent", 80, 78, Hold()),
    _above("disk.inodes_percent", 95, 93, Hold(), Severity.HIGH),
    HOST_DOWN,
    HOST_SECURITY,
)

# What the poller says of itself. An archive that is back within an interval is not worth a mail.
OWN_LIMITS: Final = (
    _above("poller.unreachable_percent", 50, 50, Hold(), Severity.HIGH),
    _above("poller.archive_away_seconds", 0, 0, Hold(polls=2)),
    _above("poller.journal_percent", 80, 70, Hold()),
    _above("poller.journal_percent", 100, 95, Hold(), Severity.HIGH),
    _above("poller.rejected_polls", 0, 0, Hold()),
    _above("poller.round_percent", 100, 90, Hold(polls=2)),
    _above("poller.clock_step_seconds", 60, 60, Hold()),
    _above("poller.undelivered", 0, 0, Hold(), Severity.LOW),
    _below("poller.disk_free_percent", 5, 7, Hold()),
    _below("poller.disk_free_percent", 2, 3, Hold(), Severity.HIGH),
)

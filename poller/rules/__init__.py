"""Values and thresholds -> verdicts. Pure: no clock, no memory, no side effect."""

from poller.rules.judge import judge
from poller.rules.outage import Outage, outage

__all__ = ["Outage", "judge", "outage"]

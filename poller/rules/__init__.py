"""Values, logs and events + rules -> verdicts. Pure: no clock, no memory, no side effect."""

from poller.rules.classify import classified
from poller.rules.judge import judge
from poller.rules.needs import needs
from poller.rules.outage import Outage, outage

__all__ = ["Outage", "classified", "judge", "needs", "outage"]

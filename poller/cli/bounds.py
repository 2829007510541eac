"""The two ranges that a value is held against, as given on the command line or as config.xml has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poller.cli.perfdata import PerfDatum
from poller.cli.plugin import State
from poller.cli.range import Range
from poller.model import Severity

if TYPE_CHECKING:
    from poller.model import Host, MetricValue, Threshold


@dataclass(frozen=True, slots=True)
class Bounds:
    """None where there is no such range."""

    warning: Range | None = None
    critical: Range | None = None

    def state(self, value: float) -> tuple[State, Range | None]:
        """What the value means, and the range that says so."""
        for state, one in ((State.CRITICAL, self.critical), (State.WARNING, self.warning)):
            if one is not None and one.alerts(value):
                return state, one
        return State.OK, None


def configured(host: Host, value: MetricValue, unit: str) -> Bounds:
    """The limits of config.xml on that value: those of severity `high` are critical, others a warning.

    Those about the future (`within=`) say nothing about the value now.
    """
    limits = [one for one in host.thresholds if one.covers(value.metric, value.labels) and not one.within]
    high = [one for one in limits if one.severity is Severity.HIGH]
    rest = [one for one in limits if one.severity is not Severity.HIGH]
    return Bounds(_range(rest, unit), _range(high, unit))


def _range(limits: list[Threshold], unit: str) -> Range | None:
    """The values that pass none of them."""
    if not limits:
        return None
    low = max((one.below for one in limits if one.below is not None), default=-math.inf)
    high = min((one.above for one in limits if one.above is not None), default=math.inf)
    if low > high:  # every value passes one of them, which no range can say: the upper one is left
        low = -math.inf
    # The same for what is never negative, and more programs draw a plain number.
    never_negative = unit in ("percent", "per second", "0 or 1") or unit.startswith("bytes")
    return Range(0.0 if never_negative and math.isinf(low) and high >= 0 else low, high)


def datum(label: str, value: float, unit: str, bounds: Bounds) -> PerfDatum:
    """The performance data of a value. Percent have both ends, sizes a lower one."""
    least = 0.0 if unit == "percent" or unit.startswith("bytes") else None
    most = 100.0 if unit == "percent" else None
    return PerfDatum(label, value, unit, bounds.warning, bounds.critical, least, most)

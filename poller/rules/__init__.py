"""Values and thresholds -> verdicts. Pure: no clock, no memory, no side effect."""

from poller.rules.judge import judge

__all__ = ["judge"]

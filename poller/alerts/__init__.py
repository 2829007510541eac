"""Verdicts and memory -> what changed, and why. Pure and replayable: the instant and new ids are passed in."""

from poller.alerts.compare import compare

__all__ = ["compare"]

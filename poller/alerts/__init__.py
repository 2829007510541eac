"""Verdicts and memory -> what changed, and why. Pure and replayable: the instant and new ids are passed in."""

from poller.alerts.compare import compare
from poller.alerts.explain import explained
from poller.alerts.freshness import periods

__all__ = ["compare", "explained", "periods"]

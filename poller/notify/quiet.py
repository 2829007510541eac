"""Alerts about which nobody is nudged: neither reminded, nor is anybody else told because nobody cared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from poller.model import POLLER, Alert, Config

FLAPPING: Final = "flapping"
SUSPENDED: Final = "suspended"
_PATIENCE: Final = 2
_INTERVAL: Final = 60.0


def quiet(alerts: Iterable[Alert], gaps: Mapping[str, int], config: Config, now_ms: int) -> dict[str, str]:
    """Why not, by the id of the open alert: it is `flapping`, or `suspended`: not confirmed for twice the time between
    two polls of its host. `gaps` are those times as observed, in ms; without one interval= stands for it.
    """
    reasons: dict[str, str] = {}
    for alert in alerts:
        if alert.flapping:
            reasons[alert.id] = FLAPPING
        elif now_ms - alert.updated_ms > _PATIENCE * _gap_ms(alert, gaps, config):
            reasons[alert.id] = SUSPENDED
    return reasons


def _gap_ms(alert: Alert, gaps: Mapping[str, int], config: Config) -> int:
    known = gaps.get(alert.host)
    if known:
        return known
    if alert.host == POLLER:  # it looks at itself after each round
        return round(1000 * max((host.poll.interval for host in config.hosts), default=_INTERVAL))
    host = config.host(alert.host)
    return round(1000 * (host.poll.interval if host else _INTERVAL))

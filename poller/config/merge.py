"""Which thresholds a host has in the end: sets in the order they are named, then the group's own, then the host's.

A later layer replaces all limits of the same metric and label filters, or removes them with `off`; limits with
within=, which are about the future, replace only such. Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from poller.config.defaults import HOST_DOWN, HOST_SECURITY
from poller.config.escalation import NOTHING, Again
from poller.config.limits import DOWN, Limit, Slot
from poller.config.notify import Notify
from poller.model import Hold, Threshold

NOBODY = Notify(None, ())


def merged(layers: Iterable[Sequence[Limit]]) -> tuple[Limit, ...]:
    """The limits in force. `host.down` and `host.security` are always among them unless they were turned off."""
    return over((HOST_DOWN, HOST_SECURITY), layers)


def over(lowest: Sequence[Limit], layers: Iterable[Sequence[Limit]]) -> tuple[Limit, ...]:
    """The limits in force when each layer wins over those before it."""
    slots: dict[Slot, list[Limit]] = {}
    for layer in (lowest, *layers):
        fresh: dict[Slot, list[Limit]] = {}
        for limit in layer:
            for slot in limit.slots:
                fresh.setdefault(slot, []).append(limit)
        slots.update(fresh)
    return tuple(limit for limits in slots.values() for limit in limits if not limit.off)


def bound(
    limits: Iterable[Limit], notify: tuple[str, ...], down_after: Hold, outer: Again = NOTHING
) -> tuple[Threshold, ...]:
    """The limits as thresholds of one host: who is told, and again when, and how long down lasts before it counts."""
    found = []
    for limit in limits:
        again = outer if limit.again is NOTHING else limit.again.over(outer)
        found.append(
            dataclasses.replace(
                limit.threshold,
                notify=(limit.notify or NOBODY).over(notify),
                hold=down_after if limit.threshold.metric == DOWN and not limit.held else limit.threshold.hold,
                remind=again.remind or (),
                escalations=again.escalations or (),
            )
        )
    return tuple(found)

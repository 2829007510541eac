"""What becomes of an alert now, in words: it fires, is silenced, somebody takes care of it, and why nobody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from poller.cli.ids import short
from poller.cli.instant import shown

if TYPE_CHECKING:
    from poller.cli.settings import Settings
    from poller.model import Acknowledgement, Alert, Config, Silence
    from poller.store.alerting import AlertStatus
    from poller.store.notices import Notice


@dataclass(frozen=True, slots=True)
class Condition:
    """`word` for machines: ended, suspended, flapping, acknowledged, silenced, downtime, untold or firing."""

    word: str
    words: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What the state of an alert depends on beside itself. `silences` are those in force."""

    config: Config
    now_ms: int
    silences: Sequence[Silence] = ()


def scene(settings: Settings, now: int) -> Scene:
    """As it is now."""
    from poller.store import alerting

    found = alerting.silences(settings.config.journal, now)
    return Scene(settings.config, now, tuple(one for one in found if one.from_ms <= now))


def conditions(status: AlertStatus, scene: Scene, notices: Sequence[Notice] | None = None) -> tuple[Condition, ...]:
    """All that can be said of it, the weightiest first; never none.

    `notices` are all of the alert; without them what the store says in short is used.
    """
    alert = status.alert
    if alert.closed_ms is not None:
        return (Condition("ended", f"ended {shown(alert.closed_ms)}" + (f": {alert.reason}" if alert.reason else "")),)
    found = [
        *_suspended(status, scene),
        *([Condition("flapping", "flapping")] if alert.flapping else []),
        *_acknowledged(status.acknowledgement, scene.now_ms),
        *_quiet(alert, scene),
    ]
    if not any(one.word in ("acknowledged", "silenced", "downtime") for one in found):  # who knows, or why not, is said
        why = untold(notices) if notices is not None else _untold(status)
        found += [Condition("untold", f"nobody was told: {why}")] if why else []
    return tuple(found) or (Condition("firing", "firing"),)


def _suspended(status: AlertStatus, scene: Scene) -> list[Condition]:
    """Nothing was heard of it for twice the time between two polls: it may be over, nobody knows."""
    from poller.notify.quiet import quiet

    alert = replace(status.alert, flapping=False)  # of which it is no less true
    if not quiet([alert], {alert.host: status.gap_ms}, scene.config, scene.now_ms):
        return []
    return [Condition("suspended", f"suspended: unknown since {shown(alert.updated_ms)}")]


def _acknowledged(one: Acknowledgement | None, now_ms: int) -> list[Condition]:
    if one is None or not in_force(one, now_ms):
        return []
    until = f" until {shown(one.until_ms)}" if one.until_ms is not None else ""
    return [Condition("acknowledged", f"acknowledged by {one.author}{until}: {one.comment}")]


def in_force(one: Acknowledgement, now_ms: int) -> bool:
    return one.ended_ms is None and (one.until_ms is None or now_ms < one.until_ms)


def _quiet(alert: Alert, scene: Scene) -> list[Condition]:
    from poller.notify.block import silenced
    from poller.notify.window import in_downtime

    found = [
        Condition("silenced", f"silenced by {one.author} until {shown(one.until_ms)}: {one.comment} ({short(one.id)})")
        for one in scene.silences
        if silenced(alert, one)
    ][:1]
    host = scene.config.host(alert.host)
    downtime = in_downtime(scene.config.downtimes, host, scene.now_ms) if host else None
    if downtime is not None:
        comment = f": {downtime.comment}" if downtime.comment else ""
        found.append(Condition("downtime", f"in downtime {downtime.name}{comment}"))
    return found


def _untold(status: AlertStatus) -> str:
    return "" if status.notifications else ", ".join(_reason(why) for why in status.untold)


def untold(notices: Sequence[Notice]) -> str:
    """Why nobody knows of it; "" when somebody does."""
    if not notices:
        return "no notify= names anybody for it"
    if any(one.state == "delivered" for one in notices):
        return ""
    newest = max(notices, key=lambda one: (one.at_ms, one.number))
    if newest.state == "owed":
        return f"it waits for delivery, {newest.error}" if newest.error else ""  # on its way
    return _reason(newest.why or newest.error or newest.state)


def _reason(why: str) -> str:
    """What stands in the column `why`, for people; an id of a silence as they know it."""
    noun, _, name = why.partition(" ")
    if noun == "silence":
        return f"silence {short(name)}"
    if noun == "parent":
        return f"its gateway {name} is down"
    return {"network": "the poller lost its network", "hours": "outside the hours of the contact"}.get(why, why)

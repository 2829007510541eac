"""What is to be told again, and whom else to tell because nobody has acknowledged. Pure: the journal keeps the answer.

A reminder is due at each of the times in `remind=`, counted from when the alert opened, and after the last of them
that often again; it goes to who was told, and not to who was told anything since. After a long pause there is one
for all that were missed. An escalation is due `after=` that long, once for each recipient who was told nothing yet
and wants the severity that the alert has by then. Neither is for alerts that are acknowledged or quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from poller.model import Alert, AnyRule, ChangeKind, Config, Notification
from poller.notify.audience import interested, policy

_WAITING: Final = frozenset({"owed", "held"})
_NOWHERE: Final = frozenset({"suppressed", "failed"})


class Told(Protocol):
    """A notification and what became of it, as the journal has it."""

    @property
    def recipient(self) -> str: ...
    @property
    def kind(self) -> ChangeKind: ...
    @property
    def number(self) -> int: ...
    @property
    def at_ms(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def done_ms(self) -> int | None: ...
    @property
    def why(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant, and alerts not to nudge about: acknowledged ones and quiet ones, by id."""

    now_ms: int
    passed_over: Collection[str] = ()


def due(
    alerts: Sequence[Alert],
    config: Config,
    notices: Mapping[str, Sequence[Told]],
    moment: Moment,
    new_id: Callable[[], str],
) -> tuple[Notification, ...]:
    """The reminders and escalations of these open alerts that are due. `notices` is all there ever was, by alert."""
    found: list[Notification] = []
    for alert in alerts:
        rule = policy(config, alert)
        if rule is None or alert.id in moment.passed_over or alert.closed_ms is not None:
            continue
        history = notices.get(alert.id, ())
        for recipient, kind in _nudges(alert, rule, config, history, moment.now_ms):
            number = max((one.number for one in history if one.recipient == recipient), default=0) + 1
            found.append(Notification(new_id(), alert, kind, recipient, number, moment.now_ms))
    return tuple(found)


def nudges(alert: Alert, config: Config) -> bool:
    """Whether its rule wants anybody reminded or told, too."""
    rule = policy(config, alert)
    return rule is not None and bool(rule.remind or rule.escalations)


def last_reminder_ms(opened_ms: int, remind: Sequence[float], now_ms: int) -> int | None:
    """The newest instant up to now at which a reminder was due, None when there was none."""
    offsets = sorted(round(1000 * seconds) for seconds in remind if seconds > 0)
    passed = [offset for offset in offsets if opened_ms + offset <= now_ms]
    if not passed:
        return None
    last = passed[-1]
    rounds = (now_ms - opened_ms) // last if last == offsets[-1] else 1
    return opened_ms + rounds * last


def _nudges(
    alert: Alert, rule: AnyRule, config: Config, history: Sequence[Told], now_ms: int
) -> Iterator[tuple[str, ChangeKind]]:
    reminder_ms = last_reminder_ms(alert.opened_ms, rule.remind, now_ms)
    if reminder_ms is not None:
        told = dict.fromkeys(one.recipient for one in history if one.state == "delivered")
        for recipient in interested(told, alert, config):
            if _silent_since(history, recipient, reminder_ms):
                yield recipient, ChangeKind.REMINDER
    if not _kept_back(history):
        for recipient in _to_escalate(alert, rule, config, history, now_ms):
            yield recipient, ChangeKind.ESCALATED


def _silent_since(history: Sequence[Told], recipient: str, at_ms: int) -> bool:
    """Whether the recipient waits for nothing, was told nothing since, and was due no reminder since."""
    for one in history:
        if one.recipient != recipient:
            continue
        reminded = one.kind is ChangeKind.REMINDER and one.at_ms >= at_ms
        told = one.state == "delivered" and (one.done_ms or one.at_ms) >= at_ms
        if one.state in _WAITING or told or reminded:
            return False
    return True


def _to_escalate(alert: Alert, rule: AnyRule, config: Config, history: Sequence[Told], now_ms: int) -> tuple[str, ...]:
    names = [
        name
        for step in rule.escalations
        if alert.opened_ms + round(1000 * step.after) <= now_ms
        for name in step.notify
    ]
    known = {one.recipient for one in history if _counts(one)}
    return tuple(name for name in interested(names, alert, config, known) if name not in known)


def _counts(one: Told) -> bool:
    """Whether nobody need be told by an escalation any more: told, about to be, or tried in vain."""
    in_vain = one.kind is ChangeKind.ESCALATED and one.state == "failed"
    return in_vain or one.state not in _NOWHERE


def _kept_back(history: Sequence[Told]) -> bool:
    """Whether nobody knows because the network or a gateway is to blame: then it is no news to anybody else either."""
    away = any(one.state == "held" and (one.why == "network" or one.why.startswith("parent ")) for one in history)
    return away and not any(one.state == "delivered" for one in history)

"""One alert from poll to poll: opened, rising and falling, flapping, closed; and what to tell of it.

| before   | limits active now | restless | what happens                                                            |
|----------|-------------------|----------|-------------------------------------------------------------------------|
| no alert | some              | no       | OPENED                                                                  |
| no alert | some              | begins   | FLAPPING, instead of OPENED                                             |
| open     | some              | no       | ROSE or FELL when the severity is another one                           |
| open     | none              | no       | CLOSED                                                                  |
| open     | either            | begins   | FLAPPING; where none is active it stays open nevertheless               |
| flapping | either            | still    | severity and value are kept current, and nobody is told                 |
| flapping | some              | no more  | STEADY                                                                  |
| flapping | none              | no more  | CLOSED, "steady again: ..."                                             |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from poller.alerts import flap, reason
from poller.alerts.subject import Identity
from poller.model import Alert, Change, ChangeKind, Rule, Severity, Threshold, Verdict

Turn = tuple[Alert | None, Change | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a poll shows of one subject whose limits are known.

    `top` is the verdict of the highest active limit, None when none is; `since_ms` when that was first breached.
    `why` says why none is active, and `notify` names whom the highest that was active told. `changes` are the last
    20 states, this one among them.
    """

    now_ms: int
    value: float | None
    changes: int
    top: Verdict | None = None
    since_ms: int = 0
    why: str = ""
    notify: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        return self.why if self.top is None else reason.breached(self.top)


def follow(host: str, identity: Identity, alert: Alert | None, seen: Seen, new_id: Callable[[], str]) -> Turn:
    """The alert after this poll, None when none is open any more; and the change, if there is one to tell of."""
    if alert is None:
        return (None, None) if seen.top is None else _open(host, identity, seen, seen.top, new_id())
    flapping = flap.flaps(seen.changes, before=alert.flapping)
    current = _current(alert, seen, flapping)
    if flapping and alert.flapping:
        return current, None
    if flapping:
        return _told(ChangeKind.FLAPPING, current, reason.flapping(seen.changes, seen.reason), seen)
    if seen.top is None:
        why = reason.steady(seen.why) if alert.flapping else seen.why
        return None, end(alert, ChangeKind.CLOSED, why, seen.now_ms, value=seen.value, notify=seen.notify)
    if alert.flapping:
        return _told(ChangeKind.STEADY, current, reason.steady(seen.reason), seen)
    if current.severity == alert.severity:
        return current, None
    kind = ChangeKind.ROSE if current.severity > alert.severity else ChangeKind.FELL
    return _told(kind, current, seen.reason, seen)


def _open(host: str, identity: Identity, seen: Seen, top: Verdict, new: str) -> Turn:
    metric, labels = identity
    flapping = flap.flaps(seen.changes, before=False)
    alert = Alert(
        id=new,
        host=host,
        metric=metric,
        labels=labels,
        severity=top.rule.severity,
        value=_number(seen.value, top),
        limit=reason.limit(top.rule),
        opened_ms=seen.now_ms,
        updated_ms=seen.now_ms,
        since_ms=seen.since_ms,
        flapping=flapping,
    )
    if flapping:
        return _told(ChangeKind.FLAPPING, alert, reason.flapping(seen.changes, seen.reason), seen)
    return _told(ChangeKind.OPENED, alert, seen.reason, seen)


def _number(value: float | None, top: Verdict) -> float:
    """A rule need not have a number; that it holds is 1 then."""
    if value is not None:
        return value
    return top.rule.limit if isinstance(top.rule, Threshold) else 1.0


def _current(alert: Alert, seen: Seen, flapping: bool) -> Alert:
    """The open alert with its newest value. While none of its limits is active its severity is that of the last.

    What a rule saw is all that its alert shows of the host, and is kept current, too; a limit's reason stays.
    """
    severity: Severity = alert.severity if seen.top is None else seen.top.rule.severity
    saw_anew = seen.top is not None and isinstance(seen.top.rule, Rule) and not flapping
    return replace(
        alert,
        reason=seen.reason if saw_anew else alert.reason,
        severity=severity,
        value=alert.value if seen.value is None else seen.value,
        limit=alert.limit if seen.top is None else reason.limit(seen.top.rule),
        updated_ms=max(seen.now_ms, alert.updated_ms),
        flapping=flapping,
    )


def _told(kind: ChangeKind, alert: Alert, why: str, seen: Seen) -> Turn:
    told = replace(alert, reason=why)
    return told, Change(kind, told, why, seen.notify)


def end(
    alert: Alert,
    kind: ChangeKind,
    why: str,
    now_ms: int,
    *,
    value: float | None = None,
    notify: tuple[str, ...] = (),
) -> Change:
    """It is over, whatever it was."""
    at_ms = max(now_ms, alert.opened_ms)
    closed = replace(
        alert,
        value=alert.value if value is None else value,
        updated_ms=max(at_ms, alert.updated_ms),
        closed_ms=at_ms,
        reason=why,
        flapping=False,
    )
    return Change(kind, closed, why, notify)

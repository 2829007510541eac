"""One host's verdicts against its memory -> the new memory, and the changes with their reasons.

An alert is one episode on (host, metric, labels): open while any of its limits is active, as severe as the highest
active one. Two limits on one metric are one episode that rises and falls. The identity survives editing: an edited
limit goes on under its new key. What ends an episode:
- closed, "back to 41.0, under 75": no limit is active any more;
- closed, "no longer there": its section was read, but this label value is gone (a disk that was unmounted);
- unconfigured: no threshold covers it any more.
A poll that could not tell suspends: nothing advances, resolves, or is reset (see `poller.rules.judge`, UNKNOWN).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from poller.alerts import reason
from poller.alerts.limit import LOST_LIMIT, inherit, step
from poller.model import (
    Alert,
    AlertMemory,
    Change,
    ChangeKind,
    Comparison,
    LimitState,
    Severity,
    Standing,
    Threshold,
    Verdict,
)

Labels = tuple[tuple[str, str], ...]
Identity = tuple[str, Labels]
Result = tuple[tuple[LimitState, ...], Alert | None, Change | None]


@dataclass(slots=True)
class _Subject:
    """All that is known of one (metric, labels) at this poll."""

    identity: Identity
    states: list[LimitState] = field(default_factory=list)
    alert: Alert | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    configured: dict[str, Threshold] = field(default_factory=dict)


def compare(
    host: str,
    verdicts: Iterable[Verdict],
    memory: AlertMemory,
    thresholds: Sequence[Threshold],
    now_ms: int,
    new_id: Callable[[], str],
) -> Comparison:
    """`thresholds` are all that are configured for the host now; none of them, and everything open is closed.

    Where two cover one label value with the same limit and severity, the later one counts.
    """
    subjects, unread = _gather(verdicts, memory, thresholds)
    states: list[LimitState] = []
    still_open: list[Alert] = []
    changes: list[Change] = []
    for subject in subjects:
        kept, alert, change = _subject(host, subject, unread, now_ms, new_id)
        states += kept
        if alert is not None:
            still_open.append(alert)
        if change is not None:
            changes.append(change)
    return Comparison(tuple(states), tuple(still_open), tuple(changes))


def _gather(
    verdicts: Iterable[Verdict], memory: AlertMemory, thresholds: Sequence[Threshold]
) -> tuple[list[_Subject], set[str]]:
    """What needs a look, in a fixed order: remembered or breached now. And the metrics of which nothing is known."""
    found: dict[Identity, _Subject] = {}

    def subject(metric: str, labels: Labels) -> _Subject:
        return found.setdefault((metric, labels), _Subject((metric, labels)))

    for state in memory.states:
        subject(state.metric, state.labels).states.append(state)
    for alert in memory.open:
        subject(alert.metric, alert.labels).alert = alert
    all_verdicts = list(verdicts)
    for verdict in all_verdicts:
        if verdict.standing is Standing.BREACH:
            subject(verdict.metric, verdict.labels)
    for verdict in all_verdicts:
        if (verdict.metric, verdict.labels) in found:
            found[verdict.metric, verdict.labels].verdicts[verdict.threshold.key] = verdict
    by_metric: dict[str, list[Threshold]] = defaultdict(list)
    for threshold in thresholds:
        by_metric[threshold.metric].append(threshold)
    for metric, labels in found:
        covering = (threshold for threshold in by_metric[metric] if threshold.covers(metric, labels))
        found[metric, labels].configured = {threshold.key: threshold for threshold in covering}
    unread = {verdict.metric for verdict in all_verdicts if verdict.standing is Standing.UNKNOWN and not verdict.labels}
    return [found[identity] for identity in sorted(found)], unread


def _subject(host: str, subject: _Subject, unread: set[str], now_ms: int, new_id: Callable[[], str]) -> Result:
    if not subject.configured:
        return _ended(subject, ChangeKind.UNCONFIGURED, reason.UNCONFIGURED, now_ms)
    if not subject.verdicts and subject.identity[0] not in unread:
        return _ended(subject, ChangeKind.CLOSED, reason.GONE, now_ms)
    verdicts = [_verdict(subject, key) for key in subject.configured]
    before = inherit(_remembered(subject), subject.configured, verdicts)
    if all(verdict.standing is Standing.UNKNOWN for verdict in verdicts):
        return tuple(before[key] for key in sorted(before)), subject.alert, None
    after = {verdict.threshold.key: step(before.get(verdict.threshold.key), verdict, now_ms) for verdict in verdicts}
    states = tuple(state for _key, state in sorted(after.items()) if state is not None)
    active = sorted((subject.configured[state.key] for state in states if state.active), key=_rank)
    value = next((verdict.value for verdict in verdicts if verdict.value is not None), None)
    if not active:
        return states, *_close(subject, before, value, now_ms)
    top = active[-1]
    since_ms = next(state.since_ms for state in states if state.key == top.key)
    if subject.alert is None:
        alert = _opened(host, subject.identity, top, value, since_ms, now_ms, new_id())
        return states, alert, Change(ChangeKind.OPENED, alert, alert.reason, top.notify)
    return states, *_update(subject.alert, top, value, now_ms)


def _verdict(subject: _Subject, key: str) -> Verdict:
    metric, labels = subject.identity
    unknown = Verdict(metric, labels, subject.configured[key], Standing.UNKNOWN, None)
    return subject.verdicts.get(key, unknown)


def _remembered(subject: _Subject) -> list[LimitState]:
    """An open alert without an active state (a journal that was rebuilt) stands for one of its severity."""
    alert = subject.alert
    if alert is None or any(state.active for state in subject.states):
        return subject.states
    lost = f"{LOST_LIMIT} {LOST_LIMIT} {alert.severity}"
    return [*subject.states, LimitState(alert.metric, alert.labels, lost, alert.since_ms, 1, True)]


def _rank(threshold: Threshold) -> tuple[Severity, float]:
    """Orders active limits: the most severe, and of those the one furthest out, comes last."""
    return threshold.severity, threshold.limit if threshold.above is not None else -threshold.limit


def _ease(threshold: Threshold) -> float:
    """Orders limits by how far the value must go back to clear them; the last to clear comes first."""
    clear = threshold.limit if threshold.clear is None else threshold.clear
    return clear if threshold.above is not None else -clear


def _opened(
    host: str, identity: Identity, top: Threshold, value: float | None, since_ms: int, now_ms: int, new: str
) -> Alert:
    metric, labels = identity
    return Alert(
        id=new,
        host=host,
        metric=metric,
        labels=labels,
        severity=top.severity,
        value=top.limit if value is None else value,
        limit=str(top),
        opened_ms=now_ms,
        updated_ms=now_ms,
        since_ms=since_ms,
        reason=reason.breached(value, top),
    )


def _update(alert: Alert, top: Threshold, value: float | None, now_ms: int) -> tuple[Alert, Change | None]:
    """The open alert with its newest value, and the change if its severity is another now."""
    current = replace(
        alert,
        severity=top.severity,
        value=alert.value if value is None else value,
        limit=str(top),
        updated_ms=max(now_ms, alert.updated_ms),
    )
    if top.severity == alert.severity:
        return current, None
    kind = ChangeKind.ROSE if top.severity > alert.severity else ChangeKind.FELL
    current = replace(current, reason=reason.breached(value, top))
    return current, Change(kind, current, current.reason, top.notify)


def _close(
    subject: _Subject, before: dict[str, LimitState], value: float | None, now_ms: int
) -> tuple[None, Change | None]:
    """No limit is active any more. The reason names the limit that was the last to clear."""
    if subject.alert is None:
        return None, None
    were_active = sorted((subject.configured[key] for key, state in before.items() if state.active), key=_rank)
    if not were_active:
        return None, _closing(subject.alert, ChangeKind.CLOSED, reason.LIMIT_REMOVED, value, (), now_ms)
    why = reason.back(value, min(were_active, key=_ease))
    return None, _closing(subject.alert, ChangeKind.CLOSED, why, value, were_active[-1].notify, now_ms)


def _ended(subject: _Subject, kind: ChangeKind, why: str, now_ms: int) -> Result:
    """The subject itself is gone, from the host or from the configuration."""
    if subject.alert is None:
        return (), None, None
    active = {state.key for state in subject.states if state.active}
    were_active = sorted((limit for key, limit in subject.configured.items() if key in active), key=_rank)
    notify = were_active[-1].notify if were_active else ()
    return (), None, _closing(subject.alert, kind, why, None, notify, now_ms)


def _closing(
    alert: Alert, kind: ChangeKind, why: str, value: float | None, notify: tuple[str, ...], now_ms: int
) -> Change:
    at_ms = max(now_ms, alert.opened_ms)
    closed = replace(
        alert,
        value=alert.value if value is None else value,
        updated_ms=max(at_ms, alert.updated_ms),
        closed_ms=at_ms,
        reason=why,
    )
    return Change(kind, closed, why, notify)

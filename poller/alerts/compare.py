"""One host's verdicts against its memory -> the new memory, and the changes with their reasons.

An alert is one episode on (host, metric or rule, labels): open while any of its limits is active, as severe as the
highest active one. Two limits on one metric are one episode that rises and falls. The identity survives editing: an
edited limit goes on under its new key. What ends an episode:
- closed, "back to 41.0, under 75": no limit is active any more;
- closed, "no longer there": its section was read, but this label value is gone (a disk that was unmounted, a source
  of which the log does not tell any more);
- unconfigured: no threshold or rule covers it any more.
What comes and goes too often ends only when it has calmed down (see `poller.alerts.episode`, `poller.alerts.flap`).
A poll that could not tell suspends: nothing advances, resolves, or is reset (see `poller.rules.judge`, UNKNOWN).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from poller.alerts import flap, reason
from poller.alerts.episode import Seen, end, follow
from poller.alerts.limit import LOST_LIMIT, inherit, step
from poller.alerts.ranking import ease, rank
from poller.alerts.subject import Subject, gather
from poller.model import (
    Alert,
    AlertMemory,
    AnyRule,
    Change,
    ChangeKind,
    Comparison,
    Flap,
    LimitState,
    Severity,
    Standing,
    Verdict,
)

# After so many times the usual distance of two looks, what was seen does not count on.
_ROUNDS: Final = 2


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is remembered of one subject after this poll, and the change of its alert."""

    states: tuple[LimitState, ...] = ()
    alert: Alert | None = None
    changes: int = 0
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class _Moment:
    """Of this poll: when, whose, what is not known at all, and since when something must be known to count on."""

    host: str
    now_ms: int
    new_id: Callable[[], str]
    unread: frozenset[str]
    oldest_ms: Callable[[str], float]


def compare(
    host: str,
    verdicts: Iterable[Verdict],
    memory: AlertMemory,
    rules: Sequence[AnyRule],
    now_ms: int,
    new_id: Callable[[], str],
    periods: Mapping[str, float] = MappingProxyType({}),
) -> Comparison:
    """`rules` are all that are configured for the host now; none of them, and everything open is closed.

    Where two cover one label value with the same limit and severity, the later one counts. `periods` are the seconds
    from one reading to the next of a metric, or of what the rule of that name looks at (see `poller.alerts.freshness`).
    """

    def oldest_ms(metric: str) -> float:
        if not memory.gap_ms:  # too few polls to say what is usual
            return 0.0
        return now_ms - _ROUNDS * max(memory.gap_ms, 1000 * periods.get(metric, 0.0))

    all_verdicts = tuple(verdicts)
    unread = {verdict.metric for verdict in all_verdicts if verdict.standing is Standing.UNKNOWN and not verdict.labels}
    moment = _Moment(host, now_ms, new_id, frozenset(unread), oldest_ms)
    states: list[LimitState] = []
    still_open: list[Alert] = []
    changes: list[Change] = []
    flaps: list[Flap] = []
    for subject in gather(all_verdicts, memory, rules):
        outcome = _outcome(subject, moment)
        states += outcome.states
        if outcome.alert is not None:
            still_open.append(outcome.alert)
        if outcome.change is not None:
            changes.append(outcome.change)
        flapping = outcome.alert is not None and outcome.alert.flapping
        if outcome.changes or flapping:
            flaps.append(Flap(*subject.identity, outcome.changes, flapping))
    return Comparison(tuple(states), tuple(still_open), tuple(changes), tuple(flaps))


def _outcome(subject: Subject, moment: _Moment) -> _Outcome:
    metric, _labels = subject.identity
    if not subject.configured:
        return _unconfigured(subject, moment)
    gone = not subject.verdicts and metric not in moment.unread
    verdicts = [] if gone else [_verdict(subject, key) for key in subject.configured]
    before = inherit(_remembered(subject), subject.configured, verdicts)
    if verdicts and all(verdict.standing is Standing.UNKNOWN for verdict in verdicts):
        return _Outcome(tuple(before[key] for key in sorted(before)), subject.alert, subject.changes)
    oldest_ms = moment.oldest_ms(metric)
    after = {each.rule.key: step(before.get(each.rule.key), each, moment.now_ms, oldest_ms) for each in verdicts}
    states = tuple(state for _key, state in sorted(after.items()) if state is not None)
    changed = _severity(subject, before.values()) != _severity(subject, states)
    changes = flap.shifted(subject.changes, changed=changed)
    seen = _seen(subject, moment, {each.rule.key: each for each in verdicts}, before, states, changes)
    alert, change = follow(moment.host, subject.identity, subject.alert, seen, moment.new_id)
    return _Outcome(states, alert, changes, change)


def _unconfigured(subject: Subject, moment: _Moment) -> _Outcome:
    """Nothing covers it any more: over at once, flapping or not."""
    if subject.alert is None:
        return _Outcome()
    why = reason.unconfigured(subject.identity[0])
    return _Outcome(change=end(subject.alert, ChangeKind.UNCONFIGURED, why, moment.now_ms))


def _verdict(subject: Subject, key: str) -> Verdict:
    metric, labels = subject.identity
    unknown = Verdict(metric, labels, subject.configured[key], Standing.UNKNOWN, None)
    return subject.verdicts.get(key, unknown)


def _remembered(subject: Subject) -> list[LimitState]:
    """An open alert without an active state (a journal that was rebuilt) stands for one of its severity.

    Not so while it flaps: then it may be open without one.
    """
    alert = subject.alert
    if alert is None or alert.flapping or any(state.active for state in subject.states):
        return subject.states
    lost = f"{LOST_LIMIT} {LOST_LIMIT} {alert.severity}"
    return [*subject.states, LimitState(alert.metric, alert.labels, lost, alert.since_ms, 1, True)]


def _severity(subject: Subject, states: Iterable[LimitState]) -> Severity | None:
    """The state that may be restless: the severity of the highest active limit, None without one."""
    return max((subject.configured[state.key].severity for state in states if state.active), default=None)


def _seen(
    subject: Subject,
    moment: _Moment,
    verdicts: dict[str, Verdict],
    before: dict[str, LimitState],
    states: Sequence[LimitState],
    changes: int,
) -> Seen:
    active = sorted((subject.configured[state.key] for state in states if state.active), key=rank)
    value = next((verdict.value for verdict in verdicts.values() if verdict.value is not None), None)
    if active:
        top = active[-1]
        since_ms = next(state.since_ms for state in states if state.key == top.key)
        return Seen(moment.now_ms, value, changes, verdicts[top.key], since_ms, notify=top.notify)
    were_active = sorted((subject.configured[key] for key, state in before.items() if state.active), key=rank)
    if not were_active and subject.alert is not None and subject.alert.flapping:
        # It flapped without one for some polls; any of them may have been the one.
        were_active = sorted(subject.configured.values(), key=rank)
    notify = were_active[-1].notify if were_active else ()
    return Seen(moment.now_ms, value, changes, why=_over(verdicts, were_active), notify=notify)


def _over(verdicts: dict[str, Verdict], were_active: Sequence[AnyRule]) -> str:
    """Why no limit is active any more. Names the limit that was the last to clear."""
    if not verdicts:
        return reason.GONE
    known = [rule for rule in were_active if verdicts[rule.key].standing is not Standing.UNKNOWN]
    if not known:
        return reason.LIMIT_REMOVED
    return reason.back(verdicts[min(known, key=ease).key])

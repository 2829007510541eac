"""What one poll has to look at: each (metric or rule, labels) that is remembered, or breached now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from poller.model import Alert, AlertMemory, AnyRule, LimitState, Standing, Verdict

Labels = tuple[tuple[str, str], ...]
Identity = tuple[str, Labels]


@dataclass(slots=True)
class Subject:
    """All that is known of one (metric, labels) at this poll. `verdicts` and `configured` are by key of the rule.

    `changes` are those of its state in the last 20 polls (see `poller.alerts.flap`).
    """

    identity: Identity
    states: list[LimitState] = field(default_factory=list)
    alert: Alert | None = None
    changes: int = 0
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    configured: dict[str, AnyRule] = field(default_factory=dict)


def gather(verdicts: Sequence[Verdict], memory: AlertMemory, rules: Sequence[AnyRule]) -> list[Subject]:
    """In a fixed order. What holds, and is not remembered, is left out."""
    found: dict[Identity, Subject] = {}

    def subject(metric: str, labels: Labels) -> Subject:
        return found.setdefault((metric, labels), Subject((metric, labels)))

    _recall(subject, memory)
    for verdict in verdicts:
        if verdict.standing is Standing.BREACH:
            subject(verdict.metric, verdict.labels)
    if not found:  # all is well, as mostly
        return []
    for verdict in verdicts:
        if (verdict.metric, verdict.labels) in found:
            found[verdict.metric, verdict.labels].verdicts[verdict.rule.key] = verdict
    by_metric: dict[str, list[AnyRule]] = defaultdict(list)
    for rule in rules:
        by_metric[rule.metric].append(rule)
    for metric, labels in found:
        covering = (rule for rule in by_metric[metric] if rule.covers(metric, labels))
        found[metric, labels].configured = {rule.key: rule for rule in covering}
    return [found[identity] for identity in sorted(found)]


def _recall(subject: Callable[[str, Labels], Subject], memory: AlertMemory) -> None:
    for state in memory.states:
        subject(state.metric, state.labels).states.append(state)
    for alert in memory.open:
        subject(alert.metric, alert.labels).alert = alert
    for flap in memory.flaps:
        subject(flap.metric, flap.labels).changes = flap.changes

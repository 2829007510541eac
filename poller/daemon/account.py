"""What one poll meant, in the stable JSON form: an entry of `hosts` in the document of `poller run --json`.

A command that polls by itself and one that asks a daemon print from the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poller.intake import Taken
    from poller.model import Change

Entry = dict[str, Any]


def host_entry(one: Taken) -> Entry:
    poll = one.poll
    return {
        "name": poll.host,
        "outcome": str(poll.outcome),
        "stage": poll.stage,
        "code": poll.code,
        "error": poll.error,
        "hint": poll.hint,
        "seconds": round(poll.seconds, 6),
        "stages": {stage: round(seconds, 6) for stage, seconds in poll.stages.items()},
        "metrics": {str(value): value.value for value in one.values},
        "changes": change_entries(one.changes),
    }


def change_entries(changes: Iterable[Change]) -> list[Entry]:
    return [
        {
            "kind": str(change.kind),
            "metric": _name(change),
            "severity": str(change.alert.severity),
            "reason": change.reason,
        }
        for change in changes
    ]


def _name(change: Change) -> str:
    from poller.model import MetricValue

    return str(MetricValue(change.alert.metric, 0.0, change.alert.labels))

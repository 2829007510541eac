"""Words for a change whose number alone says too little: "48 of 50 hosts became unreachable in one round"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from poller.metrics import CATALOGUE, OWN
from poller.model import Alert, Change, ChangeKind, Comparison

_NEWS = frozenset({ChangeKind.OPENED, ChangeKind.ROSE, ChangeKind.FELL, ChangeKind.FLAPPING})


def explained(comparison: Comparison, words: Mapping[str, str]) -> Comparison:
    """The same comparison; what opened, rose, fell or flaps has the words of its metric before the reason."""
    changes = tuple(_explained(change, words) for change in comparison.changes)
    told = {change.alert.id: change.alert for change in changes}
    still_open: tuple[Alert, ...] = tuple(told.get(alert.id, alert) for alert in comparison.open)
    return replace(comparison, changes=changes, open=still_open)


def _explained(change: Change, words: Mapping[str, str]) -> Change:
    text = words.get(change.alert.metric)
    if text is None or change.kind not in _NEWS:
        return change
    name = change.alert.metric
    # "1 > 0" adds nothing, nor does "2.9 > 0"
    said = CATALOGUE[name].unit == "0 or 1" or name.startswith(OWN)
    why = text if said and change.kind is not ChangeKind.FLAPPING else f"{text} ({change.reason})"
    return replace(change, reason=why, alert=replace(change.alert, reason=why))

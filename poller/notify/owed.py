"""Who is told what about an alert that changed. Pure: the journal keeps the answer, `deliver` acts on it later.

| change               | who is told                                                                               |
|----------------------|-------------------------------------------------------------------------------------------|
| opened, rose         | whom the rule names (of a rise also whom it escalated to) and who wants the severity it has |
| fell                 | who was told before or what there is for is held back: to others there is no news in      |
|                      | "less bad than you never knew"                                                            |
| flapping, steady     | who was told before, and whom opened would be told to                                     |
| closed, unconfigured | who was told before, whatever config.xml says now: a problem told is an end told          |

While an alert flaps nothing but the end of that is told. A contact whose `severities` begin higher, or for another
group of hosts, is told when the alert rises that far, and of its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from poller.model import Change, ChangeKind, Config, Notification
from poller.notify.audience import covering, interested

_NEWS = frozenset({ChangeKind.OPENED, ChangeKind.ROSE})
_RESTLESS = frozenset({ChangeKind.FLAPPING, ChangeKind.STEADY})
_SHADES = frozenset({ChangeKind.ROSE, ChangeKind.FELL})


def owed(
    changes: Sequence[Change],
    config: Config,
    numbers: Mapping[str, int],
    now_ms: int,
    new_id: Callable[[], str],
    *,
    told: Collection[str] | None = None,
) -> tuple[Notification, ...]:
    """The notifications that the changes of ONE alert, oldest first, make.

    `numbers` maps each recipient (a contact's name or a `mailto:` address) to the number of notifications about this
    alert that there are for it; numbering goes on from there. `told` are those of them that got one or are owed one
    (default: all); what there is for the others is held back.
    """
    counts = dict(numbers)
    known = dict.fromkeys(counts if told is None else (name for name in counts if name in told))
    notifications: list[Notification] = []
    for change in changes:
        for recipient in _recipients(change, config, known, counts):
            if change.kind is not ChangeKind.FELL:
                known[recipient] = None
            counts[recipient] = counts.get(recipient, 0) + 1
            notifications.append(
                Notification(new_id(), change.alert, change.kind, recipient, counts[recipient], now_ms)
            )
    return tuple(notifications)


def _recipients(change: Change, config: Config, told: Collection[str], concerned: Collection[str]) -> tuple[str, ...]:
    if change.alert.flapping and change.kind in _SHADES:
        return ()
    if change.kind in _NEWS:
        return interested((*change.notify, *_escalated(change, config, told)), change.alert, config, told)
    if change.kind in _RESTLESS:
        return tuple(dict.fromkeys((*told, *interested((*told, *change.notify), change.alert, config, told))))
    return tuple(concerned if change.kind is ChangeKind.FELL else told)


def _escalated(change: Change, config: Config, told: Collection[str]) -> tuple[str, ...]:
    """Who was told because nobody else cared hears of it, too, when it gets worse."""
    steps = (step for rule in covering(config, change.alert) for step in rule.escalations)
    return tuple(name for step in steps for name in step.notify if name in told)

"""Who is told what about an alert that changed. Pure: the journal keeps the answer, `deliver` acts on it later.

| change               | who is told                                                                      |
|----------------------|----------------------------------------------------------------------------------|
| opened, rose         | who the threshold names and whose `severities` hold the severity the alert has   |
| fell                 | who was told before: to others there is no news in "less bad than you never knew" |
| closed, unconfigured | who was told before, whatever config.xml says now: a problem told is an end told |

A contact whose `severities` begin higher is therefore told when the alert rises that far, and of its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from poller.model import Change, ChangeKind, Config, Contact, Notification

_NEWS = frozenset({ChangeKind.OPENED, ChangeKind.ROSE})


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
        for recipient in _recipients(change, config, known):
            known[recipient] = None
            counts[recipient] = counts.get(recipient, 0) + 1
            notifications.append(
                Notification(new_id(), change.alert, change.kind, recipient, counts[recipient], now_ms)
            )
    return tuple(notifications)


def _recipients(change: Change, config: Config, told: Collection[str]) -> tuple[str, ...]:
    if change.kind in _NEWS:
        return _once_per_address(change, config, told)
    return tuple(told)


def _once_per_address(change: Change, config: Config, told: Collection[str]) -> tuple[str, ...]:
    """A name and a `mailto:` that end in the same mailbox are one; who was told before keeps being told."""
    by_address: dict[str, str] = {}
    for recipient in change.notify:
        contact = config.contact(recipient)
        if contact is None or not _wants(contact, change):
            continue
        known = by_address.setdefault(contact.mail.casefold(), recipient)
        if recipient in told and known not in told:
            by_address[contact.mail.casefold()] = recipient
    return tuple(by_address.values())


def _wants(contact: Contact, change: Change) -> bool:
    return not contact.severities or change.alert.severity in contact.severities

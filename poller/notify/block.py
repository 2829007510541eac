"""What keeps people from being told for now: silences, downtimes and the hours of a contact. Looked at when sending."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from poller.model import Alert, Config, Contact, Silence
from poller.notify.window import covers, in_downtime

HOURS: Final = "hours"


def blocked(alert: Alert, contact: Contact | None, config: Config, silences: Sequence[Silence], now_ms: int) -> str:
    """Why `contact` is not to be told of this alert now: `silence ID`, `downtime NAME`, `hours`; "" when nothing is.

    `silences` are those in force. The first that fits counts.
    """
    for silence in silences:
        if silenced(alert, silence):
            return f"silence {silence.id}"
    host = config.host(alert.host)
    downtime = in_downtime(config.downtimes, host, now_ms) if host is not None else None
    if downtime is not None:
        return f"downtime {downtime.name}"
    return off_duty(contact, now_ms)


def off_duty(contact: Contact | None, now_ms: int) -> str:
    """`hours` outside the hours of the contact, else ""; this holds back even that something is over."""
    if contact is None or not contact.hours:
        return ""
    return "" if any(covers(hours, now_ms) for hours in contact.hours) else HOURS


def silenced(alert: Alert, silence: Silence) -> bool:
    """Whether all three globs fit: that of the label any of its values, or `*` for none as well."""
    return (
        fnmatchcase(alert.host, silence.host)
        and fnmatchcase(alert.metric, silence.metric)
        and (silence.label == "*" or any(fnmatchcase(value, silence.label) for _name, value in alert.labels))
    )

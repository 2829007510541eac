"""A letter as JSON: what a webhook and a command are given. Its form is stable; docs/channels.md describes it.

Text stands there as it is, line breaks and all: who shows it has to escape it for its place.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from poller.model import Alert, Contact, Letter, Notification
from poller.notify.attachment import MOST_BYTES
from poller.notify.identity import digest, identity
from poller.notify.subject import headline

VERSION: Final = 1
_MOST: Final = 2000


def document(letter: Letter, sent_ms: int) -> dict[str, Any]:
    """All of it; of more than 2000 notifications the oldest, and how many are left out."""
    return {
        **_head(identity(letter), letter.contact, headline(letter), sent_ms),
        "note": letter.note,
        "digest": letter.digest,
        "notifications": [_notification(one) for one in letter.notifications[:_MOST]],
        "left_out": max(0, len(letter.notifications) - _MOST),
        "evidence": _evidence(letter),
    }


def trial(contact: Contact, sent_ms: int) -> dict[str, Any]:
    """Of `poller notify test`: a letter about nothing."""
    subject = "[TEST] poller can reach you"
    head = _head(digest(("test", contact.name, str(sent_ms))), contact, subject, sent_ms)
    return {**head, "note": "", "digest": False, "notifications": [], "left_out": 0, "evidence": [], "test": True}


def encoded(document: dict[str, Any]) -> bytes:
    """Its bytes: ASCII, and the same for the same document."""
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _head(message_id: str, contact: Contact, subject: str, sent_ms: int) -> dict[str, Any]:
    return {
        "version": VERSION,
        "id": message_id,
        "sent_ms": sent_ms,
        "contact": contact.name,
        "subject": subject,
        "test": False,
    }


def _notification(one: Notification) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "number": one.number,
        "at_ms": one.at_ms,
        "alert": _alert(one.alert),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "host": alert.host,
        "metric": alert.metric,
        "labels": dict(alert.labels),
        "severity": str(alert.severity),
        "value": alert.value if math.isfinite(alert.value) else None,
        "limit": alert.limit,
        "reason": alert.reason,
        "since_ms": alert.since_ms,
        "opened_ms": alert.opened_ms,
        "closed_ms": alert.closed_ms,
    }


def _evidence(letter: Letter) -> list[dict[str, Any]]:
    """Parts in the order of their alerts, as many characters of them as fit in 256 KiB."""
    room, found = MOST_BYTES, []
    for alert_id in dict.fromkeys(one.alert.id for one in letter.notifications):
        for part in letter.evidence.get(alert_id, ()):
            text = part.text[:room]
            room -= len(text)
            if text:
                found.append({"alert": alert_id, "part": part.part, "at_ms": part.at_ms, "text": text})
    return found

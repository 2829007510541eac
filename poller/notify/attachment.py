"""Evidence as files of a message: what a host was busy with, one text file per alert, never more than a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from poller.model import Alert, EvidencePart, Letter
from poller.notify.plain import plain
from poller.notify.wording import moment

# Of one message. Many mail servers refuse ten megabytes, and nobody reads one.
MOST_BYTES: Final = 256 * 1024
_MOST_FILES: Final = 32
_LINE: Final = 4096
_CUT: Final = "\n(cut here: `poller alerts` shows what is kept of it)\n"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file name of ASCII letters, digits and `._-`, and its text."""

    name: str
    text: str


def attachments(letter: Letter) -> tuple[Attachment, ...]:
    """The evidence of the alerts in `letter`, in their order. All of it takes up to 256 KiB, in equal shares."""
    known = {one.alert.id: one.alert for one in letter.notifications if letter.evidence.get(one.alert.id)}
    alerts = list(known.values())[:_MOST_FILES]
    names = _names(alerts)
    return tuple(
        Attachment(name, _text(alert, letter.evidence[alert.id], MOST_BYTES // len(alerts)))
        for name, alert in zip(names, alerts, strict=True)
    )


def _names(alerts: Sequence[Alert]) -> Iterator[str]:
    """As `evidence-web1-cpu.percent.txt`; two that would be the same are numbered."""
    taken: set[str] = set()
    for alert in alerts:
        stem = f"evidence-{_sanitized(alert.host)}-{_sanitized(alert.metric)}"
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        yield f"{name}.txt"


def _sanitized(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:60].strip(".") or "_"


def _text(alert: Alert, parts: Sequence[EvidencePart], bound: int) -> str:
    whole = "\n".join(_section(part) for part in parts)
    head = f"{plain(alert.host)}: {plain(alert.metric)}, alert {plain(alert.id, 64)}\n\n"
    room = bound - len(head.encode()) - len(_CUT)
    encoded = whole.encode("utf-8", "replace")
    if len(encoded) <= room:
        return head + whole
    return head + encoded[:room].decode("utf-8", "ignore") + _CUT


def _section(part: EvidencePart) -> str:
    """Its lines, each made harmless by itself: a terminal may show the file."""
    lines = (plain(line.expandtabs(), _LINE) for line in part.text.split("\n"))
    return f"--- {plain(part.part, 64)}, {moment(part.at_ms)} ---\n" + "\n".join(lines).rstrip("\n") + "\n"

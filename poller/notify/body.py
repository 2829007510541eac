"""The text of a mail: everything that opened, rose, fell or closed, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from poller.model import ChangeKind, Letter, Notification
from poller.notify.entry import Entry, commands, entry
from poller.notify.plain import plain
from poller.notify.selection import select
from poller.notify.subject import counts

_SUMMARY: Final = {
    ChangeKind.OPENED: "opened",
    ChangeKind.ROSE: "rose",
    ChangeKind.FELL: "fell",
    ChangeKind.FLAPPING: "began to flap",
    ChangeKind.STEADY: "stopped flapping",
    ChangeKind.REMINDER: "still open",
    ChangeKind.ESCALATED: "escalated",
    ChangeKind.CLOSED: "closed",
    ChangeKind.UNCONFIGURED: "closed because no longer configured",
}
_BRIEF: Final = 160


def text(letter: Letter, attached: Sequence[str] = ()) -> str:
    """Plain text, lines ended by LF, foreign text escaped. `attached` names the files that go with it."""
    chosen = select(letter.notifications)
    said = opening(letter)
    lines = [said, ""] if said else []
    lines += [summary(letter.notifications), *_standing(letter), ""]
    for one in chosen.full:
        lines += [*_told(entry(one)), ""]
    if chosen.brief:
        lines += [f"And {len(chosen.brief) + chosen.left_out} more:", *map(brief, chosen.brief)]
        lines += [left_out(chosen.left_out)] if chosen.left_out else []
        lines += [""]
    if attached:
        lines += [f"Attached: {', '.join(attached)}", ""]
    lines += ["To look:", *(f"    {line}" for line in looking(letter.notifications)), ""]
    return "\n".join(lines)


def opening(letter: Letter) -> str:
    """What has to be said before all else; "" when there is nothing."""
    kept = "This is what a quota kept back until today, over by now or not." if letter.digest else ""
    return " ".join(part for part in (kept, plain(letter.note)) if part)


def summary(notifications: Sequence[Notification]) -> str:
    """What happened, counted."""
    counted = Counter(one.kind for one in notifications)
    return "Alerts: " + ", ".join(f"{counted[kind]} {verb}" for kind, verb in _SUMMARY.items() if counted[kind]) + "."


def brief(notification: Notification) -> str:
    """All of it in a line."""
    one = entry(notification)
    return plain(f"    {one.kind.upper()} [{one.severity}] {one.host}: {one.line}", _BRIEF)


def left_out(count: int) -> str:
    return f"    and {count} not listed here"


def looking(notifications: Sequence[Notification]) -> tuple[str, ...]:
    """Commands that show more."""
    return ("poller alerts", "poller status", *commands(notifications))


def _standing(letter: Letter) -> Iterator[str]:
    """How it stands now, where that takes more than a look at the list."""
    if len(letter.notifications) > 1:
        hosts = {one.alert.host for one in letter.notifications}
        yield f"Now: {counts(letter.notifications)}, on {len(hosts)} host{'s'[: len(hosts) - 1]}."


def _told(one: Entry) -> Iterator[str]:
    yield f"{one.kind.upper()} [{one.severity}] {one.host}: {one.name}"
    said = {
        "value": one.value,
        "limit": one.limit,
        "since": one.since,
        "lasted": one.lasted,
        "now": one.again,
        "why": one.why,
        "alert": f"{one.alert}, message {one.number}",
    }
    for word, words in said.items():
        if words:
            yield f"    {word:<7} {words}"

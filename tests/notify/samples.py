"""Alerts, notifications, a configuration and an outbox in memory, to test what becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from poller.model import (
    Alert,
    Change,
    ChangeKind,
    Config,
    Contact,
    EvidencePart,
    Message,
    Notification,
    Pending,
    Severity,
    Silence,
)

START = 1_700_000_000_000

ALERT = Alert(
    id="0190a1b2-0000-7000-8000-000000000001",
    host="web1",
    metric="cpu.percent",
    labels=(),
    severity=Severity.HIGH,
    value=97.0,
    limit="> 90 for 300s",
    opened_ms=START,
    updated_ms=START,
    since_ms=START - 300_000,
)

OPS = Contact("ops", "ops@example.org")
NET = Contact("net", "net@example.org", frozenset({Severity.HIGH}))
CONFIG = Config(path=Path("/nowhere/config.xml"), journal=Path("/nowhere/poller.db"), contacts=(OPS, NET))

NAUGHTY = (
    "web1\r\nBcc: thief@example.org",
    "web1\nSubject: other",
    "web1\r\n\r\n<script>alert(1)</script>",
    "web1\r\n.\r\nMAIL FROM:<a@example.org>",
    "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
    "\x1b]0;owned\x07\x1b[31mred",
    "\u202eevil\u2066\u200b\ufeff",
    "nul\x00byte",
    "\ud800 lone",
    "=?utf-8?q?Bcc=3A_x=40example=2Eorg?=",
    "Ωμέγα 漢字 🖥",
    "x" * 3000,
    "",
)


def alert(host: str = "web1", metric: str = "cpu.percent", identity: str = "", **fields: object) -> Alert:
    return replace(ALERT, host=host, metric=metric, id=identity or f"{host} {metric}", **fields)  # type: ignore[arg-type]


def change(kind: ChangeKind, changed: Alert = ALERT, notify: tuple[str, ...] = ("ops",)) -> Change:
    return Change(kind, changed, "because", notify)


def notification(
    changed: Alert = ALERT, kind: ChangeKind = ChangeKind.OPENED, recipient: str = "ops", number: int = 1
) -> Notification:
    return Notification(f"{changed.id} {recipient} {number}", changed, kind, recipient, number, START)


class MemoryOutbox:
    """An Outbox that remembers what became of everything. `waiting` is what is owed or held."""

    def __init__(self, *notifications: Notification) -> None:
        self.waiting = list(notifications)
        self.held: dict[str, str] = {}
        self.next: dict[str, tuple[str, int]] = {}
        self.messages: list[Message] = []
        self.done: list[str] = []
        self.given_up: dict[str, str] = {}
        self.suppressed: dict[str, str] = {}
        self.acknowledged: set[str] = set()
        self.in_force: list[Silence] = []
        self.parts: dict[str, tuple[EvidencePart, ...]] = {}
        self._told: set[tuple[str, str]] = set()
        self._over: set[str] = set()

    def pending(self) -> Sequence[Pending]:
        self._over |= {one.alert.id for one in self.waiting if one.alert.closed_ms is not None}
        return tuple(map(self._pending, self.waiting))

    def ends(self, alert_id: str) -> None:
        """The alert is over, whoever is told of that."""
        self._over.add(alert_id)

    def evidence(self, alert_ids: Sequence[str]) -> Mapping[str, tuple[EvidencePart, ...]]:
        return {number: self.parts[number] for number in alert_ids if number in self.parts}

    def silences(self, now_ms: int) -> Sequence[Silence]:
        return [one for one in self.in_force if one.from_ms <= now_ms < one.until_ms and one.ended_ms is None]

    def sent_since(self, since_ms: int) -> Mapping[str, int]:
        return Counter(one.channel for one in self.messages if one.sent_ms >= since_ms and not one.digest)

    def last_sent(self) -> Mapping[str, int]:
        return {one.contact: one.sent_ms for one in sorted(self.messages, key=lambda one: one.sent_ms)}

    def delivered(self, message: Message) -> None:
        self.messages.append(message)
        self.done += message.notifications
        self._told |= {(one.alert.id, one.recipient) for one in self.waiting if one.id in message.notifications}
        self._forget(message.notifications)

    def failed(self, ids: Sequence[str], error: str, now_ms: int, *, channel: str, retry_ms: int | None) -> None:
        self.waiting = [
            replace(one, attempts=one.attempts + 1, error=error) if one.id in ids else one for one in self.waiting
        ]
        if retry_ms is None:
            self.given_up |= dict.fromkeys(ids, error)
            self._forget(ids)
        else:
            self.next |= dict.fromkeys(ids, (channel, retry_ms))

    def hold(self, ids: Sequence[str], why: str) -> None:
        self.held |= dict.fromkeys(ids, why)

    def release(self, ids: Sequence[str]) -> None:
        for number in ids:
            self.held.pop(number, None)

    def suppress(self, ids: Sequence[str], why: str, now_ms: int) -> None:
        self.suppressed |= dict.fromkeys(ids, why)
        self._forget(ids)

    def _pending(self, one: Notification) -> Pending:
        channel, retry_ms = self.next.get(one.id, ("", 0))
        return Pending(
            one,
            told=(one.alert.id, one.recipient) in self._told,
            over=one.alert.id in self._over,
            acknowledged=one.alert.id in self.acknowledged,
            held=self.held.get(one.id, ""),
            channel=channel,
            retry_ms=retry_ms,
        )

    def _forget(self, ids: Sequence[str]) -> None:
        self.held = {number: why for number, why in self.held.items() if number not in ids}
        self.waiting = [one for one in self.waiting if one.id not in ids]

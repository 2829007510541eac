"""Alerts, notifications, a configuration and an outbox in memory, to test what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from poller.model import Alert, Change, ChangeKind, Config, Contact, Notification, Severity

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
    """An Outbox that remembers what became of everything."""

    def __init__(self, *notifications: Notification) -> None:
        self.waiting = list(notifications)
        self.done: list[str] = []
        self.given_up: dict[str, str] = {}

    def owed(self) -> Sequence[Notification]:
        return tuple(self.waiting)

    def delivered(self, ids: Sequence[str], now_ms: int) -> None:
        self.done += ids
        self._forget(ids)

    def failed(self, ids: Sequence[str], error: str, *, retry: bool, now_ms: int) -> None:
        if retry:
            self.waiting = [
                replace(one, attempts=one.attempts + 1, error=error) if one.id in ids else one for one in self.waiting
            ]
        else:
            self.given_up |= dict.fromkeys(ids, error)
            self._forget(ids)

    def _forget(self, ids: Sequence[str]) -> None:
        self.waiting = [one for one in self.waiting if one.id not in ids]

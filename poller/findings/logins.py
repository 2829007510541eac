"""Logins that are there or gone; those that began and ended in between are told by `people`."""

from __future__ import annotations

from collections.abc import Iterator

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import Login, Severity


def logins(both: Both) -> Iterator[Told]:
    for old, new in both.pairs("people", Login):
        one = new or old
        details = joined(
            one.user, f"on {one.terminal}" if one.terminal else "", f"from {one.source}" if one.source else ""
        )
        if old is None:
            yield Told("login", Severity.LOW, details)
        elif new is None:
            yield Told("logout", Severity.LOW, details)

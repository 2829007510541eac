"""What a watcher is shown, as JSON: over the socket of a daemon, and of `poller watch --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from poller.model import Event, Light, Seat, Severity, Sighted

Shown = Seat | Sighted


def document(one: Shown) -> dict[str, Any]:
    """`{"seat": {...}}` or `{"sighted": {...}}`: one line of a stream."""
    return {"seat": seat(one)} if isinstance(one, Seat) else {"sighted": sighted(one)}


def seat(one: Seat) -> dict[str, Any]:
    """How a host looks from now on. `coverage`: how it sees devices, mounts and contacts, in this order, and why so."""
    return {
        "host": one.host,
        "light": str(one.light),
        "since_ms": one.since_ms,
        "words": one.words,
        "coverage": list(one.coverage),
    }


def sighted(one: Sighted) -> dict[str, Any]:
    """What happened. One whose id was there before takes its place: more is known of it."""
    event = one.event
    return {
        "id": one.id,
        "host": one.host,
        "kind": event.kind,
        "at_ms": event.at_ms,
        "severity": str(event.severity),
        "details": event.details,
        "stored": one.stored,
    }


def read(told: Mapping[str, Any]) -> Shown | None:
    """The value again; None for what another version of the poller tells beside these."""
    try:
        if "seat" in told:
            return _seat(told["seat"])
        if "sighted" in told:
            return _sighted(told["sighted"])
    except (KeyError, TypeError, ValueError):
        pass
    return None


def _seat(told: Mapping[str, Any]) -> Seat:
    light, coverage = Light(told["light"]), tuple(map(str, told["coverage"]))
    return Seat(str(told["host"]), light, int(told["since_ms"]), str(told["words"]), coverage)


def _sighted(told: Mapping[str, Any]) -> Sighted:
    severity = Severity.parse(str(told["severity"]))
    event = Event(str(told["kind"]), int(told["at_ms"]), severity, str(told["details"]))
    return Sighted(str(told["id"]), str(told["host"]), event, bool(told["stored"]))

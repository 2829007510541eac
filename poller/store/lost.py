"""What had to go before it was rolled up, on record as an event."""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime, timezone

from poller.model import Event, Severity
from poller.store.database import immediate
from poller.store.hosts import Hosts

_log = logging.getLogger(__name__)


def record(connection: sqlite3.Connection, from_ms: int, until_ms: int, now_ms: int) -> None:
    """Samples between the two instants are given up, and no roll-up is there in their place."""
    text = f"samples up to {_datetime(until_ms)} were given up before they were rolled up: the disk is full"
    if from_ms:
        text += f"; roll-ups reach to {_datetime(from_ms)}"
    _log.warning("%s", text)
    with immediate(connection):
        Hosts(connection).store_event(None, Event("gap", now_ms, Severity.HIGH, text))


def _datetime(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")

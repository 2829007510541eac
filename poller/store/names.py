"""Names of the addresses that hosts talk to, as they were looked up: table address_name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from poller.store.database import immediate
from poller.store.faults import translated
from poller.store.sql import statements

HOUR_MS: Final = 3_600_000
# A name is looked up again after a day, one that nobody answered for after ten minutes.
FRESH_MS: Final = 24 * HOUR_MS
AGAIN_MS: Final = HOUR_MS // 6
# What was not looked up for so long belongs to no peer any more.
_KEPT_MS: Final = 30 * FRESH_MS


class Names:
    """Over the connection of the journal. Raises StoreError."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def wanted(self, now_ms: int, most: int) -> tuple[str, ...]:
        """Addresses of peers seen in the last hour that have no fresh name, the newest first."""
        row = {"seen_since_ms": now_ms - HOUR_MS, "stale_ms": now_ms - FRESH_MS, "most": most}
        with translated(self._path):
            return tuple(address for (address,) in self._connection.execute(statements()["addresses_to_look_up"], row))

    def store(self, found: Mapping[str, str], unanswered: Iterable[str], now_ms: int) -> None:
        """`found` maps addresses to names, "" for one that has none; of the others what was known stays."""
        names = [{"address": address, "name": name, "looked_ms": now_ms} for address, name in found.items()]
        later = now_ms - FRESH_MS + AGAIN_MS
        open_ = [{"address": address, "looked_ms": later} for address in unanswered]
        with translated(self._path), immediate(self._connection):
            self._connection.executemany(statements()["store_name"], names)
            self._connection.executemany(statements()["postpone_name"], open_)
            self._connection.execute(statements()["forget_names"], {"before_ms": now_ms - _KEPT_MS})

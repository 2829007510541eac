"""Who talked to whom -> peers with their samples and day sums, and one row for each connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from poller.model import Connection, Talk
from poller.store.aging import DAY_MS
from poller.store.inventory import Inventory, Known, Sighting
from poller.store.kinds import CONNECTION, PEER, Key
from poller.store.sql import statements

_key: Final = attrgetter("protocol", "inbound", "peer", "port", "uid")


class Talks:
    """Stores on a connection that is in a transaction."""

    def __init__(self, connection: sqlite3.Connection, inventory: Inventory) -> None:
        self._connection = connection
        self._inventory = inventory

    def store_talks(self, host_id: int, at_ms: int, talks: Sequence[Talk]) -> None:
        """One sample each, and the sums of the day (UTC)."""
        if not talks:
            return
        by_key: dict[Key, Talk] = {_key(talk): talk for talk in talks}
        known = self._inventory.things(PEER, host_id, by_key)
        ids = self._inventory.note(PEER, host_id, at_ms, self._named(by_key, known), known)
        rows = [
            {
                "peer_id": ids[key],
                "at_ms": at_ms,
                "day_ms": at_ms - at_ms % DAY_MS,
                "sent_bytes": talk.sent,
                "received_bytes": talk.received,
                "seconds": talk.seconds,
                "connections": talk.connections,
                "opened": talk.opened,
            }
            for key, talk in by_key.items()
        ]
        self._connection.executemany(statements()["add_peer_sample"], rows)
        self._connection.executemany(statements()["add_peer_day"], rows)

    def _named(self, talks: Mapping[Key, Talk], known: Known) -> dict[Key, Key]:
        """What may change about each: its name as it was looked up last, or as it was."""
        addresses = json.dumps(sorted({talk.peer for talk in talks.values()}))
        names = dict(self._connection.execute(statements()["names_of"], {"addresses": addresses}).fetchall())
        return {
            key: (names.get(talk.peer, known[key].changing[0] if key in known else ""), talk.scope, talk.listed)
            for key, talk in talks.items()
        }

    def store_connections(
        self, host_id: int, at_ms: int, connections: Sequence[Connection], sighting: Sighting
    ) -> None:
        """Those that are not among them are gone, when the report says that these are all."""
        cut = len(CONNECTION.key)
        seen = {values[:cut]: values[cut:] for values in map(CONNECTION.read, connections)}
        if seen:
            self._inventory.note(CONNECTION, host_id, at_ms, seen)
        if CONNECTION.section in sighting.complete:
            self._inventory.miss(CONNECTION, host_id, at_ms, seen, sighting.before.get(CONNECTION.section))
        self._inventory.drop(CONNECTION, host_id)

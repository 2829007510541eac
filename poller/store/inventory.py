"""What a host has (cores, file systems, disks, interfaces, addresses): ids by natural key, first and last seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from poller.model import Address, BlockDevice, CpuTimes, FileSystem, Interface, Reading, Row
from poller.store.sql import statements

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One inventory table. `key` and `changing` are fields of its row, named as in its statements."""

    table: str
    row: type[Row]
    key: tuple[str, ...]
    changing: tuple[str, ...] = ()

    @property
    def getter(self) -> Callable[[Any], tuple[Any, ...]]:
        """Row -> key and changing fields, one tuple."""
        names = self.key + self.changing
        if len(names) > 1:
            return attrgetter(*names)
        return lambda row: (getattr(row, names[0]),)


KINDS: Final = (
    Kind("core", CpuTimes, ("core",)),
    Kind("filesystem", FileSystem, ("mountpoint",), ("device", "type", "state")),
    Kind("disk", BlockDevice, ("device",), ("model", "size")),
    Kind("interface", Interface, ("interface",), ("mac", "link", "mtu", "speed")),
    Kind("interface_address", Address, ("interface", "family", "address", "prefix")),
)
_GETTERS: Final = {kind.row: (kind, kind.getter) for kind in KINDS}


class Inventory:
    """Knows the ids of what was seen lately, so that a poll costs no look-up. `forget` after a rollback."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int], dict[Key, tuple[int, Key]]] = {}

    def forget(self) -> None:
        self._known.clear()

    def see(self, host_id: int, now_ms: int, reading: Reading) -> dict[tuple[str, str], int]:
        """Records everything in the reading as seen; returns (table, key) -> id for tables with a key of one column."""
        seen: dict[str, dict[Key, Key]] = {}
        for section in reading.sections:
            for row in section.rows:
                found = _GETTERS.get(type(row))
                if found:
                    kind, getter = found
                    values = getter(row)
                    cut = len(kind.key)
                    seen.setdefault(kind.table, {})[values[:cut]] = values[cut:]
        # The first row of /proc/stat is the sum of all cores, not a core.
        seen.get("core", {}).pop(("all",), None)
        ids: dict[tuple[str, str], int] = {}
        for kind in KINDS:
            if kind.table in seen:
                for key, number in self._see(kind, host_id, now_ms, seen[kind.table]):
                    ids[kind.table, key[0]] = number
        return ids

    def _see(self, kind: Kind, host_id: int, now_ms: int, seen: dict[Key, Key]) -> list[tuple[Key, int]]:
        known = self._load(kind, host_id)
        touched = []
        ids = []
        for key, changing in seen.items():
            item = known.get(key)
            if item is None:
                item = known[key] = self._add(kind, host_id, now_ms, key, changing), changing
            else:
                touched.append({"id": item[0], "now_ms": now_ms})
                if item[1] != changing:
                    self._change(kind, item[0], changing)
                    known[key] = item[0], changing
            ids.append((key, item[0]))
        if touched:
            self._connection.executemany(statements()[f"touch_{kind.table}"], touched)
        return ids

    def _load(self, kind: Kind, host_id: int) -> dict[Key, tuple[int, Key]]:
        known = self._known.get((kind.table, host_id))
        if known is None:
            cut = 1 + len(kind.key)
            rows = self._connection.execute(statements()[f"find_{kind.table}"], {"host_id": host_id})
            known = self._known[kind.table, host_id] = {row[1:cut]: (row[0], row[cut:]) for row in rows.fetchall()}
        return known

    def _add(self, kind: Kind, host_id: int, now_ms: int, key: Key, changing: Key) -> int:
        values = dict(zip(kind.key + kind.changing, key + changing, strict=True))
        cursor = self._connection.execute(
            statements()[f"add_{kind.table}"], {"host_id": host_id, "now_ms": now_ms, **values}
        )
        assert cursor.lastrowid is not None  # noqa: S101 - an INSERT always sets it
        return cursor.lastrowid

    def _change(self, kind: Kind, number: int, changing: Key) -> None:
        values = dict(zip(kind.changing, changing, strict=True))
        self._connection.execute(statements()[f"change_{kind.table}"], {"id": number, **values})

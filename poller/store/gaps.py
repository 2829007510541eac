"""How far apart the polls of a host really are, whatever interval= says: the measure for what is too old."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from poller.model import POLLER
from poller.store.sql import statements

# Distances between so many polls.
_POLLS: Final = 7


def gap_ms(connection: sqlite3.Connection, host: str) -> int:
    """The median of the last six distances; 0 with fewer than two polls. The poller itself is looked at by full rounds.

    The median, because one poll by hand or one round that was missed says nothing about the rest.
    """
    if host == POLLER:
        return _median(connection.execute(statements()["round_instants"], {"at_most": _POLLS}).fetchall())
    values = {"host": host, "at_most": _POLLS}
    return _median(connection.execute(statements()["poll_instants"], values).fetchall())


def gaps(connection: sqlite3.Connection) -> dict[str, int]:
    """The same of every host that was polled twice, and of the poller."""
    rows = connection.execute(statements()["poll_instants_of_all"], {"at_most": _POLLS}).fetchall()
    found = {name: _median([(int(at_ms),) for at_ms in text.split(",")]) for name, text in rows if text}
    found[POLLER] = gap_ms(connection, POLLER)
    return {name: gap for name, gap in found.items() if gap}


def _median(instants: Sequence[tuple[int]]) -> int:
    ordered = sorted(at_ms for (at_ms,) in instants)
    return int(median(later - earlier for earlier, later in pairwise(ordered))) if len(ordered) > 1 else 0

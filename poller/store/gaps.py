"""How far apart the polls of a host really are, whatever interval= says: the measure for what is too old."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from poller.model import POLLER
from poller.store.sql import statements

# Distances between so many polls.
_POLLS: Final = 7


def between(instants: Sequence[int]) -> int:
    """The median of the distances of the last seven of these, oldest first; 0 with fewer than two."""
    last = instants[-_POLLS:]
    return int(median(later - earlier for earlier, later in pairwise(last))) if len(last) > 1 else 0


def gap_ms(connection: sqlite3.Connection, host: str) -> int:
    """The median of the last six distances; 0 with fewer than two polls. The poller itself is looked at by full rounds.

    The median, because one poll by hand or one round that was missed says nothing about the rest.
    """
    if host == POLLER:
        return _of(connection.execute(statements()["round_instants"], {"at_most": _POLLS}))
    values = {"host": host, "at_most": _POLLS}
    return _of(connection.execute(statements()["poll_instants"], values))


def gaps(connection: sqlite3.Connection) -> dict[str, int]:
    """The same of every host that was polled twice, and of the poller."""
    rows = connection.execute(statements()["poll_instants_of_all"], {"at_most": _POLLS}).fetchall()
    found = {name: between(sorted(map(int, text.split(",")))) for name, text in rows if text}
    found[POLLER] = gap_ms(connection, POLLER)
    return {name: gap for name, gap in found.items() if gap}


def _of(rows: Iterable[tuple[int]]) -> int:
    return between(sorted(at_ms for (at_ms,) in rows))

"""Which windows of which hosts are due: from where each host is rolled up to where nothing more will come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from poller.model.contracts import Ledger
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED, floor

# A host that is silent while others are polled: for so long one of its polls may still be under way.
SILENT_MS: Final = HOUR_MS
# How many windows of things may be made in one transaction. On SQLite that is about 20 ms of work (five minutes of one
# thing take 0.04 ms, an hour 0.09 ms), so that a poll that wants to be stored waits no longer.
UNITS_AT_ONCE: Final = 300
# So many late windows are known, or forgotten, at once.
LATE_AT_ONCE: Final = 5000
# What a series says of its last sight may be so old.
_BEHIND_MS: Final = HOUR_MS


@dataclass(frozen=True, slots=True)
class Span:
    """Windows of some hosts, from the begin of the first to the end of the last."""

    hosts: tuple[int, ...]
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one host: windows of five minutes that begin before `fives_ms` are made, hours before `hours_ms`;

    they may be made up to `closed_ms`.
    """

    host: int
    fives_ms: int
    hours_ms: int
    closed_ms: int


def progress(ledger: Ledger, now_ms: int, closed_ms: int) -> list[Progress]:
    """Of every host that was ever polled.

    Polls of a host are stored, and shipped, one after the other: behind its newest one nothing more comes. Of a silent
    host nothing comes from an hour before the newest poll of any; `closed_ms` is an instant before which nothing counts
    any more. What comes in spite of this is a late window.
    """
    rows = ledger.query(
        "SELECT host_latest.host_id, at_ms, fives_ms, hours_ms"
        " FROM host_latest LEFT JOIN rolled_up ON rolled_up.host_id = host_latest.host_id"
        " ORDER BY host_latest.host_id"
    )
    newest = max((at_ms for _, at_ms, _, _ in rows if at_ms <= now_ms), default=0)
    silent = max(newest - SILENT_MS, closed_ms)
    found = []
    for host, at_ms, fives_ms, hours_ms in rows:
        closed = max(0, floor(min(now_ms, max(at_ms, silent)), FIVE_MS))
        if fives_ms is None:
            begin = floor(_first(ledger, host, 0, closed), FIVE_MS)
            found.append(Progress(host, begin, floor(begin, HOUR_MS), closed))
        else:
            found.append(Progress(host, fives_ms, hours_ms, closed))
    return found


def _first(ledger: Ledger, host: int, from_ms: int, until_ms: int, kind: str = "sample") -> int:
    """Its oldest row in that time, or its end. Whatever a poll brings leaves a row in one of the two tables."""
    ((system, activity),) = ledger.query(
        f"SELECT (SELECT MIN(at_ms) FROM system_{kind} WHERE host_id = {host:d} AND at_ms >= {from_ms:d}),"  # noqa: S608
        f" (SELECT MIN(at_ms) FROM activity_{kind} WHERE host_id = {host:d} AND at_ms >= {from_ms:d})"
    )
    return min((until_ms, *(int(at_ms) for at_ms in (system, activity) if at_ms is not None)))


class Things:
    """What belongs to the hosts of a ledger: table -> host -> ids of its things that were seen since an instant."""

    def __init__(self, ledger: Ledger, hosts: Sequence[int], since_ms: int) -> None:
        self._of: dict[str, dict[int, list[int]]] = {"host": {host: [host] for host in hosts}}
        for inventory in {table.inventory for table in ROLLED} - {"host"}:
            found: dict[int, list[int]] = {}
            for host, number in ledger.query(
                f"SELECT host_id, id FROM {inventory} WHERE last_seen_ms >= {since_ms - _BEHIND_MS:d}"  # noqa: S608
            ):
                found.setdefault(host, []).append(number)
            self._of[inventory] = found
        self._units = {host: sum(len(self.of(table.inventory, (host,))) for table in ROLLED) for host in hosts}

    @property
    def hosts(self) -> Collection[int]:
        """Those that it was made for."""
        return self._units.keys()

    def of(self, inventory: str, hosts: Sequence[int]) -> list[int]:
        """The ids of all things of one kind, in order."""
        known = self._of[inventory]
        return sorted(number for host in hosts for number in known.get(host, ()))

    def units(self, host: int) -> int:
        """How many things it has."""
        return self._units[host]


def due_fives(ledger: Ledger, known: Sequence[Progress]) -> list[tuple[int, int, int]]:
    """(host, begin, end) of what is closed and not made. Long times without a sample are left out at their begin."""
    found = []
    for one in known:
        begin = one.fives_ms
        if one.closed_ms - begin > HOUR_MS:
            begin = floor(_first(ledger, one.host, begin, one.closed_ms), FIVE_MS)
        if one.closed_ms > one.fives_ms:
            found.append((one.host, begin, one.closed_ms))
    return found


def due_hours(known: Sequence[Progress]) -> list[tuple[int, int, int]]:
    """(host, begin, end) of hours all of whose windows of five minutes are made."""
    ends = ((one, floor(one.fives_ms, HOUR_MS)) for one in known)
    return [(one.host, one.hours_ms, end) for one, end in ends if end > one.hours_ms]


def slices(ledger: Ledger, due: Sequence[tuple[int, int, int]], things: Things, window_ms: int) -> Iterator[Span]:
    """The work in pieces of at most UNITS_AT_ONCE, but at least one window of one host: hosts that are due for the same
    windows together, long times of one host one piece after the other, oldest first. A time without a sample belongs to
    the piece before it.
    """
    kind = "sample" if window_ms == FIVE_MS else "5m"
    alike: dict[tuple[int, int], list[int]] = {}
    for host, begin, end in due:
        alike.setdefault((begin, end), []).append(host)
    for (begin, end), hosts in sorted(alike.items()):
        windows = max(1, (end - begin) // window_ms)
        for some in _packed(hosts, things, windows):
            if len(some) > 1 or end == begin:
                yield Span(some, begin, end)
                continue
            step = max(1, UNITS_AT_ONCE // max(1, things.units(some[0]))) * window_ms
            start = begin
            while start < end:
                until = min(end, start + step)
                if until < end:
                    until = max(until, floor(_first(ledger, some[0], until, end, kind), window_ms))
                yield Span(some, start, until)
                start = until


def _packed(hosts: Sequence[int], things: Things, windows: int) -> Iterator[tuple[int, ...]]:
    some: list[int] = []
    units = 0
    for host in hosts:
        more = things.units(host) * windows
        if some and units + more > UNITS_AT_ONCE:
            yield tuple(some)
            some, units = [], 0
        some.append(host)
        units += more
    if some:
        yield tuple(some)


def late(ledger: Ledger, after: tuple[int, int]) -> list[tuple[int, int]]:
    """(window of five minutes, host of which a poll came after it was made) beyond `after`, oldest first.

    At most LATE_AT_ONCE: a copy from another database makes a window late for all that its hosts ever were polled.
    """
    at_ms, host = after
    return ledger.query(
        f"SELECT at_ms, host_id FROM late_window WHERE at_ms > {at_ms:d} OR (at_ms = {at_ms:d} AND host_id > {host:d})"  # noqa: S608
        f" ORDER BY at_ms, host_id LIMIT {LATE_AT_ONCE:d}"
    )


def too_late(ledger: Ledger, raw_ms: int) -> Iterator[tuple[int, int, int]]:
    """(host, begin, end) of late windows before that instant, at most LATE_AT_ONCE of one host in each."""
    oldest = "SELECT MIN(at_ms) FROM late_window WHERE late_window.host_id = rolled_up.host_id"
    for host, oldest_ms in ledger.query(f"SELECT host_id, ({oldest}) FROM rolled_up"):  # noqa: S608 - names of ours
        for begin in range(raw_ms if oldest_ms is None else oldest_ms, raw_ms, LATE_AT_ONCE * FIVE_MS):
            yield host, begin, min(raw_ms, begin + LATE_AT_ONCE * FIVE_MS)

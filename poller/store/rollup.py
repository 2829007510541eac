"""Samples rolled up where they are kept: windows of five minutes, and hours, made as soon as they are over.

Each transaction makes a few windows and says so in `rolled_up`, so that a crash anywhere leaves nothing half done, and
a window that is made again is the same. A poll that comes later than its window was made leaves a row in `late_window`
(a trigger on SQLite, shipping on MySQL); that window and its hour are made again. Roll-ups are never shipped: every
database that holds history makes its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from poller.model.contracts import Ledger
from poller.store.rollup_bound import bounds
from poller.store.rollup_span import Progress, Span, Things, due_fives, due_hours, late, progress, slices, too_late
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED, five_minutes, floor, one_hour
from poller.store.slicing import give_way

_HOSTS_AT_ONCE: Final = 500
_Make = Callable[[Span, Things], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What was made: `windows` of hosts, `rows` written. `behind_ms`: how far the worst host is from what is over."""

    windows: int = 0
    rows: int = 0
    behind_ms: int = 0


def roll_up(
    ledger: Ledger, closed_ms: int, now_ms: int, stop: threading.Event, budget_seconds: float = 60.0
) -> RolledUp:
    """Makes what is due, in short transactions, until all is made, `stop` is set or the time is over. StoreError.

    Of what is older than `closed_ms` nothing more will come. Call it again: it goes on where it was.
    """
    return _RollUp(ledger, closed_ms, now_ms, stop, budget_seconds).all()


class _RollUp:
    def __init__(
        self, ledger: Ledger, closed_ms: int, now_ms: int, stop: threading.Event, budget_seconds: float
    ) -> None:
        self._ledger = ledger
        self._closed_ms = closed_ms
        self._now_ms = now_ms
        self._stop = stop
        self._until = time.monotonic() + budget_seconds
        self._windows = 0
        self._rows = 0

    def all(self) -> RolledUp:
        self._set_back()
        raw_ms = bounds(self._ledger).raw_ms
        self._forget_late(raw_ms)
        known = self._progress()
        windows = late(self._ledger, (raw_ms, -1))
        due = due_fives(self._ledger, known)
        if not (due or windows or due_hours(known)):
            return RolledUp()
        self._begin(known)
        since_ms = min((*(one.hours_ms for one in known), *(at_ms for at_ms, _ in windows[:1])))
        things = Things(self._ledger, [one.host for one in known], since_ms)
        self._all(due, things, FIVE_MS, self._fives)
        self._all(due_hours(self._progress()), things, HOUR_MS, self._hours)
        self._all_late(windows, things)
        return RolledUp(self._windows, self._rows, self._behind_ms())

    def _all_late(self, windows: Sequence[tuple[int, int]], things: Things) -> None:
        """These and all behind them, page by page; what is late meanwhile and before them has to wait."""
        while windows:
            again = [(host, at_ms, at_ms + FIVE_MS) for at_ms, host in windows if host in things.hosts]
            if not self._all(again, things, FIVE_MS, self._again):
                break
            windows = late(self._ledger, windows[-1])

    def _all(self, due: Sequence[tuple[int, int, int]], things: Things, window_ms: int, make: _Make) -> bool:
        """False when it is time to end."""
        for span in slices(self._ledger, due, things, window_ms):
            if not self._write(span, things, make):
                break
        return not self._over()

    def _forget_late(self, raw_ms: int) -> None:
        """Windows whose samples may be gone: made again of what is left, their roll-ups would be worse."""
        for host, from_ms, until_ms in too_late(self._ledger, raw_ms):
            if self._over():
                break
            start = time.monotonic()
            old = f"host_id = {host:d} AND at_ms >= {from_ms:d} AND at_ms < {until_ms:d}"
            with self._ledger.transaction():
                self._ledger.execute(f"DELETE FROM late_window WHERE {old}")  # noqa: S608 - numbers of ours
            give_way(self._stop, start)

    def _progress(self) -> list[Progress]:
        return progress(self._ledger, self._now_ms, self._closed_ms)

    def _behind_ms(self) -> int:
        return max((one.closed_ms - one.fives_ms for one in self._progress()), default=0)

    def _set_back(self) -> None:
        """After a clock that was ahead: what is before the true time has to be made, and counts raw."""
        now_ms = floor(self._now_ms, FIVE_MS)
        hour_ms = floor(now_ms, HOUR_MS)
        ahead = f"SELECT 1 FROM rolled_up WHERE fives_ms > {now_ms:d} LIMIT 1"  # noqa: S608 - numbers of ours
        bound = f"SELECT 1 FROM history_bound WHERE from_ms > {now_ms:d} LIMIT 1"  # noqa: S608 - numbers of ours
        if not self._ledger.query(ahead) and not self._ledger.query(bound):
            return
        with self._ledger.transaction():
            self._ledger.execute(f"UPDATE rolled_up SET hours_ms = {hour_ms:d} WHERE hours_ms > {hour_ms:d}")  # noqa: S608
            self._ledger.execute(f"UPDATE rolled_up SET fives_ms = {now_ms:d} WHERE fives_ms > {now_ms:d}")  # noqa: S608
            self._ledger.execute(
                f"UPDATE history_bound SET from_ms = CASE WHEN resolution = 'raw' THEN {now_ms:d} ELSE {hour_ms:d} END"  # noqa: S608
                f" WHERE from_ms > {now_ms:d}"
            )

    def _begin(self, known: Sequence[Progress]) -> None:
        """A row for each host that has none, before its first window is made: it is what late polls are told by."""
        there = {host for (host,) in self._ledger.query("SELECT host_id FROM rolled_up")}
        fresh = [one for one in known if one.host not in there]
        for start in range(0, len(fresh), _HOSTS_AT_ONCE):
            rows = ", ".join(
                f"({one.host:d}, {one.fives_ms:d}, {one.hours_ms:d})" for one in fresh[start : start + _HOSTS_AT_ONCE]
            )
            with self._ledger.transaction():
                self._ledger.execute(f"REPLACE INTO rolled_up (host_id, fives_ms, hours_ms) VALUES {rows}")  # noqa: S608

    def _write(self, span: Span, things: Things, make: _Make) -> bool:
        """One transaction. False when it is time to end, and then nothing was done."""
        if self._over():
            return False
        start = time.monotonic()
        with self._ledger.transaction():
            rows, window_ms = make(span, things)
        self._rows += rows
        self._windows += len(span.hosts) * max(1, (span.until_ms - span.from_ms) // window_ms)
        give_way(self._stop, start)
        return True

    def _over(self) -> bool:
        return self._stop.is_set() or time.monotonic() >= self._until

    def _fives(self, span: Span, things: Things) -> tuple[int, int]:
        # First, so that on MySQL shipping waits here and then knows that its polls are late.
        self._note("fives_ms", span)
        return self._make(span, things, FIVE_MS), FIVE_MS

    def _hours(self, span: Span, things: Things) -> tuple[int, int]:
        self._note("hours_ms", span)
        return self._make(span, things, HOUR_MS), HOUR_MS

    def _again(self, span: Span, things: Things) -> tuple[int, int]:
        """A late window of some hosts, and the hour that it belongs to where that was made."""
        hosts = ", ".join(f"{host:d}" for host in span.hosts)
        self._ledger.execute(
            f"DELETE FROM late_window WHERE at_ms = {span.from_ms:d} AND host_id IN ({hosts})"  # noqa: S608 - numbers
        )
        rows = self._make(span, things, FIVE_MS)
        hour_ms = floor(span.from_ms, HOUR_MS)
        made = self._ledger.query(
            f"SELECT host_id FROM rolled_up WHERE hours_ms > {hour_ms:d} AND host_id IN ({hosts})"  # noqa: S608 - numbers
        )
        if made:
            hour = Span(tuple(host for (host,) in made), hour_ms, hour_ms + HOUR_MS)
            rows += self._make(hour, things, HOUR_MS)
        return rows, FIVE_MS

    def _note(self, column: str, span: Span) -> None:
        hosts = ", ".join(f"{host:d}" for host in span.hosts)
        self._ledger.execute(
            f"UPDATE rolled_up SET {column} = {span.until_ms:d}"  # noqa: S608 - names and numbers of ours
            f" WHERE host_id IN ({hosts}) AND {column} < {span.until_ms:d}"
        )

    def _make(self, span: Span, things: Things, window_ms: int) -> int:
        text = five_minutes if window_ms == FIVE_MS else one_hour
        rows = 0
        for table in ROLLED if span.until_ms > span.from_ms else ():
            owners = things.of(table.inventory, span.hosts)
            if owners:
                rows += self._ledger.execute(text(table, self._ledger.dialect, owners, span.from_ms, span.until_ms))
        return rows

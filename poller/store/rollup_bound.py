"""Where history changes from raw rows to roll-ups of five minutes, and from these to hours: `history_bound`.

Views show each time in one resolution. So before old rows are deleted the bound moves beyond them, and only as far as
the roll-ups that take their place are made. Bounds of raw rows are multiples of five minutes, the others of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

from poller.model import Retention
from poller.model.contracts import Ledger
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED, floor


@dataclass(frozen=True, slots=True)
class Bounds:
    """Rows before these instants show no more, and may go: raw ones, those of five minutes, those of an hour."""

    raw_ms: int
    fives_ms: int
    hours_ms: int

    def limits(self) -> dict[str, int]:
        """Table -> rows before this instant may go."""
        found: dict[str, int] = {}
        for table in ROLLED:
            found |= {table.raw: self.raw_ms, table.fives: self.fives_ms, table.hours: self.hours_ms}
        return found


def bounds(ledger: Ledger) -> Bounds:
    """As they are."""
    known = dict(ledger.query("SELECT resolution, from_ms FROM history_bound"))
    return Bounds(known["raw"], known["5m"], known["1h"])


def wanted(retention: Retention, now_ms: int, old: Bounds) -> Bounds:
    """As `<retention>` has them. Never back: what is gone does not come again."""
    raw_ms = max(old.raw_ms, floor(now_ms - int(retention.samples * 1000), FIVE_MS))
    fives_ms = max(old.fives_ms, min(floor(now_ms - int(retention.fives * 1000), HOUR_MS), floor(raw_ms, HOUR_MS)))
    hours_ms = max(old.hours_ms, min(floor(now_ms - int(retention.hours * 1000), HOUR_MS), fives_ms))
    return Bounds(raw_ms, fives_ms, hours_ms)


def move_bounds(ledger: Ledger, retention: Retention, now_ms: int, *, whatever: bool = False) -> tuple[Bounds, int]:
    """Moves them as far as `<retention>` wants and roll-ups are made; returns them, and where roll-ups end.

    `whatever`: also where they are not made, because rows must go. StoreError.
    """
    with ledger.transaction():
        old = bounds(ledger)
        new = wanted(retention, now_ms, old)
        fives_ms, hours_ms = _made(ledger)
        if not whatever:
            raw_ms = max(old.raw_ms, min(new.raw_ms, fives_ms))
            fives_bound = max(old.fives_ms, min(new.fives_ms, hours_ms, floor(raw_ms, HOUR_MS)))
            new = Bounds(raw_ms, fives_bound, max(old.hours_ms, min(new.hours_ms, fives_bound)))
        if new != old:
            for resolution, at_ms in (("raw", new.raw_ms), ("5m", new.fives_ms), ("1h", new.hours_ms)):
                ledger.execute(f"UPDATE history_bound SET from_ms = {at_ms:d} WHERE resolution = '{resolution}'")  # noqa: S608
        _forget_late(ledger, new.raw_ms)
    return new, fives_ms


def _forget_late(ledger: Ledger, raw_ms: int) -> None:
    """Windows whose samples may go are not made again: of what is left of them the roll-up would be worse."""
    old = f"FROM late_window WHERE at_ms < {raw_ms:d}"
    if ledger.query(f"SELECT 1 {old} LIMIT 1"):
        ledger.execute(f"DELETE {old}")


def _made(ledger: Ledger) -> tuple[int, int]:
    """Before these instants windows of five minutes, and hours, are made of every host, late ones too."""
    ((missing, fives_ms, hours_ms, late_ms),) = ledger.query(
        "SELECT (SELECT COUNT(*) FROM host_latest WHERE host_id NOT IN (SELECT host_id FROM rolled_up)),"
        " (SELECT MIN(fives_ms) FROM rolled_up), (SELECT MIN(hours_ms) FROM rolled_up),"
        " (SELECT MIN(at_ms) FROM late_window)"
    )
    if missing or fives_ms is None:
        return 0, 0
    if late_ms is not None:
        fives_ms, hours_ms = min(fives_ms, late_ms), min(hours_ms, floor(late_ms, HOUR_MS))
    return int(fives_ms), int(hours_ms)

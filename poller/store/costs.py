"""What polls cost on the last day that was polled, read from the journal: how many, how long, how many bytes and rows.

Reads only. A day of polls is one stretch of the table `poll`; how many rows a poll brings is counted for some of the
newest, and what one takes on the disk is the file's used bytes, shared among the polls whose samples are still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from poller.errors import StoreError
from poller.store.database import reading
from poller.store.sql import statements
from poller.store.timeline import floor_id

if TYPE_CHECKING:
    import sqlite3

DAY_MS: Final = 86_400_000
# So many of the newest polls are looked at for their rows.
_LOOKED_AT: Final = 50
_STAGES: Final = (
    "dns", "connect", "handshake", "hostkey", "auth", "session", "python", "probe", "envelope", "report", "collect",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Costs:
    """Of the day that ended with the newest poll. Means are over polls that gave a report (`good`).

    `held` of those came over a session that was there already, or without SSH. `stages` has seconds by stage, those
    that took place alone; `collect` is the probe's own word of `probe`. `disk_bytes` is what one poll takes in the
    file, with its share of all else in it; `kept_seconds` how far back these polls reach. `rolled` is how many of its
    rows are rolled up, `rolled_seconds` how far back the roll-ups reach.
    """

    hosts: int
    since_ms: int
    until_ms: int
    polls: int
    good: int
    failed: int
    skipped: int
    held: int
    seconds: float
    stages: Mapping[str, float]
    sent_bytes: float
    received_bytes: float
    rows: float
    rolled: float
    journal_bytes: int
    disk_bytes: float
    kept_seconds: float
    rolled_seconds: float

    @property
    def span_seconds(self) -> float:
        return (self.until_ms - self.since_ms) / 1000


def costs(path: Path, samples_seconds: float) -> Costs:
    """`samples_seconds`: how long samples are kept. StoreError (absent) where no poll gave a report on that day."""
    with reading(path) as connection:
        connection.execute("BEGIN")
        (newest,) = connection.execute(statements()["newest_poll"]).fetchone()
        day = _since((newest or 0) - DAY_MS)
        polls, hosts, since_ms, until_ms, good, failed, skipped, held, *means = connection.execute(
            statements()["cost_of_polls"], day
        ).fetchone()
        if not good:
            raise StoreError(f"{path}: no poll gave a report yet", "`poller run` makes one", code="absent")
        sent, received, seconds, *stages = means
        used = _used_bytes(connection)
        kept, oldest_ms = connection.execute(
            statements()["polls_since"], _since(until_ms - int(samples_seconds * 1000))
        ).fetchone()
        rows, rolled = _rows(connection, day)
        (rolled_ms,) = connection.execute(statements()["oldest_rolled"]).fetchone()
    return Costs(
        hosts=hosts,
        since_ms=since_ms,
        until_ms=until_ms,
        polls=polls,
        good=good,
        failed=failed,
        skipped=skipped,
        held=held,
        seconds=seconds,
        stages={name: value for name, value in zip(_STAGES, stages, strict=True) if value is not None},
        sent_bytes=sent,
        received_bytes=received,
        rows=rows,
        rolled=rolled,
        journal_bytes=used,
        disk_bytes=used / kept,
        kept_seconds=(until_ms - oldest_ms) / 1000,
        rolled_seconds=0.0 if rolled_ms is None else max(0.0, (until_ms - rolled_ms) / 1000),
    )


def _since(at_ms: int) -> dict[str, int | str]:
    return {"since_id": floor_id(at_ms), "since_ms": at_ms}


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Of the file, without free pages and without the one page that each table and index has before its first row."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    (trees,) = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE rootpage > 0").fetchone()
    return int(pages - free - trees) * int(size)


def _rows(connection: sqlite3.Connection, day: Mapping[str, int | str]) -> tuple[float, float]:
    """That a poll brings, and those that are rolled up, on average over some of the newest."""
    newest = connection.execute(statements()["newest_good_polls"], {**day, "at_most": _LOOKED_AT}).fetchall()
    rows = rolled = 0
    for host, at_ms, id_ in newest:
        one = {"host_id": host, "at_ms": at_ms}
        rows += connection.execute(statements()["rows_of_poll"], {**one, "id": id_}).fetchone()[0]
        rolled += connection.execute(statements()["rolled_of_poll"], one).fetchone()[0]
    return rows / len(newest), rolled / len(newest)

"""What a host and day take: bytes of the journal, of an SQLite archive and of MariaDB, for docs/operations.md.

    python -m benchmarks.sizes [--hosts 10]

Stores one day of polls, a minute apart, of machines with 8 cores, 3 file systems, 2 disks and 3 interfaces
(tests/store/machines.py), where each poll also brings 15 processes, talks with 8 peers of 40, 20 connections of which 5
are new, 10 log lines of 120 characters, and what USB, mounts, listeners, units, checks and people tell. Ships and
rolls them up, and asks SQLite's dbstat and InnoDB's statistics. Starts a MariaDB of its own.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from poller.model import ArchiveSettings, Findings, Retention, Traffic
from poller.store import Journal
from poller.store.archive import roll_up_archive, ship
from poller.store.rollup_sql import ROLLED
from tests.mariadb import make_database, running
from tests.store import watched
from tests.store.machines import START_MS, poll, values

_POLLS: Final = 1440
_END_MS: Final = START_MS + 86_400_000
_MOST_BYTES: Final = 64 << 30
_ROLL_UP_SECONDS: Final = 3600.0
# Where rows go that are kept for the same time.
_KINDS: Final = {
    "core_sample": "per-core samples",
    "system_sample": "other samples",
    "filesystem_sample": "other samples",
    "disk_sample": "other samples",
    "interface_sample": "other samples",
    "activity_sample": "activity and series",
    "series_sample": "activity and series",
    "process_sample": "processes",
    "peer_sample": "peers by poll",
    "peer_day": "peers by day",
    "connection": "connections",
    "log_line": "log lines",
    "poll": "polls",
    "section": "polls",
    "outgoing": "waiting for the archive",
    **{table.fives: "five minutes" for table in ROLLED},
    **{table.hours: "hours" for table in ROLLED},
}
_TRAFFIC: Final = {"traffic": (Traffic("sock_diag", 0.0, 0, 0, 0, ""),)}
_PROCESSES, _PEERS, _TALKING, _OPEN, _NEW, _LINES = 15, 40, 8, 20, 5, 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--hosts", type=int, default=10)
    hosts: int = parser.parse_args().hosts
    with tempfile.TemporaryDirectory(prefix="poller-sizes-") as folder, running() as server:
        database = make_database(server)
        journal, file = Path(folder) / "poller.db", Path(folder) / "archive.db"
        _fill(journal, hosts)
        _print("journal that holds what waits", _sqlite(journal), hosts)
        _report("SQLite archive", journal, ArchiveSettings("sqlite", path=file))
        _print("SQLite archive", _sqlite(file), hosts)
        _queue_again(journal)
        _report("MariaDB", journal, database.writer)
        database.sql("; ".join(f"ANALYZE TABLE {table}" for table in _KINDS if table != "outgoing"))
        rows = database.sql(
            "SELECT table_name, data_length + index_length FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
        )
        _print("MariaDB", {name: int(size) for name, size in (line.split("\t") for line in rows.splitlines())}, hosts)


def _fill(path: Path, hosts: int) -> None:
    with Journal.open(path, now_ms=START_MS, archived=True) as journal:
        for minute in range(1, _POLLS + 1):
            with journal.transaction() as work:
                for host in range(hosts):
                    one = watched.with_sections(poll(f"host{host:03}", minute), watched.quiet() | _TRAFFIC)
                    work.store_poll(one, values(minute), findings=_findings(minute))


def _findings(minute: int) -> Findings:
    """What goes on at a host in that minute."""
    (talk, *_), (open_one,) = watched.findings(0).talks, watched.findings(0).connections
    peers = [f"198.51.100.{1 + (minute * 3 + number) % _PEERS}" for number in range(_TALKING)]
    first = minute * _NEW
    return Findings(
        talks=tuple(replace(talk, peer=peer, sent=minute * 977, received=minute * 7919) for peer in peers),
        connections=tuple(
            replace(open_one, local_port=32_768 + number % 28_000, remote_address=peers[number % _TALKING])
            for number in range(first, first + _OPEN)
        ),
        lines=tuple(
            watched.line(START_MS + minute * 60_000 + number, f"{minute} {number} ".ljust(120, "x"))
            for number in range(_LINES)
        ),
        processes=tuple(
            (1000 + number, f"process-{number}", 1000, "ann", minute % 97 + 0.123, number << 20, "")
            for number in range(_PROCESSES)
        ),
    )


def _queue_again(path: Path) -> None:
    """The same polls once more, for the next archive."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO outgoing (kind, item, at_ms) SELECT 'poll', id, at_ms FROM poll ORDER BY at_ms")


def _report(name: str, path: Path, settings: ArchiveSettings) -> None:
    begun = time.monotonic()
    with Journal.open(path, now_ms=START_MS) as journal:
        done = ship(journal, settings, _MOST_BYTES, threading.Event(), lambda: _END_MS)
    seconds = time.monotonic() - begun
    if done.away is not None or done.waiting:
        raise SystemExit(f"{name}: {done}")
    print(
        f"\n{name}: {done.polls} polls, {done.rows} rows shipped in {seconds:.1f} s, {done.rows / seconds:.0f} rows/s"
    )
    begun = time.monotonic()
    rolled = roll_up_archive(settings, Retention(), threading.Event(), _END_MS, _ROLL_UP_SECONDS)
    if rolled is None:
        raise SystemExit(f"{name}: it was not rolled up")
    print(f"{rolled.windows} windows of hosts rolled up in {time.monotonic() - begun:.1f} s, {rolled.rows} rows")


def _sqlite(path: Path) -> Mapping[str, int]:
    """Bytes per table, indexes counted with their table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = connection.execute(
            "SELECT tbl_name, SUM(pgsize) FROM dbstat JOIN sqlite_master ON dbstat.name = sqlite_master.name GROUP BY 1"
        )
        return dict(found.fetchall())


def _lines(sizes: Mapping[str, int], hosts: int) -> Iterator[str]:
    kinds: dict[str, int] = {}
    for table, size in sizes.items():
        kind = _KINDS.get(table, "everything else")
        kinds[kind] = kinds.get(kind, 0) + size
    for kind, size in sorted(kinds.items()):
        yield f"  {kind:24} {size / hosts / 1e6:7.2f} MB per host and day"
    yield f"  {'all':24} {sum(kinds.values()) / hosts / 1e6:7.2f} MB per host and day"


def _print(name: str, sizes: Mapping[str, int], hosts: int) -> None:
    print(f"{name}:", *_lines(sizes, hosts), sep="\n", flush=True)


if __name__ == "__main__":
    main()

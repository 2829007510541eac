"""Five processes that write one journal while others read it: is anybody locked out, and how long does the log get?"""

from __future__ import annotations

import os
import sqlite3
import time
import traceback
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from poller.store import Journal, views
from tests.store.machines import CORES, START_MS, poll, values


@dataclass(frozen=True, slots=True)
class Contention:
    """What came of it. `failed` counts the writers that were refused; `log_bytes` is the longest that the log was."""

    polls: int
    failed: int
    log_bytes: int
    seconds: float


def contend(
    path: Path,
    *,
    transactions: int,
    batch: int = 1,
    writers: int = 5,
    reader: Literal["looks", "lingers"],
) -> Contention:
    """Writers in processes of their own share `transactions` of `batch` polls each. Beside them all the while a reader

    `looks`: as `poller status` does, over and over; or it `lingers`: one cursor, not fetched to its end before that.
    For as long SQLite keeps everything in the log: 15 to 25 KB for a poll in a batch, 95 KB for one that comes alone.
    """
    with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
        work.store_poll(poll("early", 1), values(1))
    started = time.monotonic()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as held, closing(held.cursor()) as cursor:
        if reader == "lingers":
            cursor.execute("SELECT * FROM core_sample").fetchone()
        children = [_fork(partial(_write, path, number, transactions // writers, batch)) for number in range(writers)]
        longest, failed = _watch(path, children, look=reader == "looks")
        if reader == "lingers":
            assert len(cursor.fetchall()) == len(CORES) - 1, "it does not see what came later"
    return Contention(transactions // writers * writers * batch, failed, longest, time.monotonic() - started)


def _fork(work: partial[None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def _write(path: Path, number: int, transactions: int, batch: int) -> None:
    with Journal.open(path, now_ms=START_MS) as journal:
        for minute in range(transactions):
            with journal.transaction() as work:
                for host in range(batch):
                    work.store_poll(poll(f"own{number}-{host}", minute), values(1))


def _watch(path: Path, children: list[int], *, look: bool) -> tuple[int, int]:
    """(the log's greatest length, how many failed), once all have ended."""
    log = path.with_name(path.name + "-wal")
    longest, failed = 0, 0
    while children:
        longest = max(longest, log.stat().st_size if log.exists() else 0)
        if look:
            assert views.hosts(path)
        done, status = os.waitpid(children[0], os.WNOHANG)
        if done:
            failed += os.waitstatus_to_exitcode(status) != 0
            children.remove(done)
        time.sleep(0.01)
    return longest, failed

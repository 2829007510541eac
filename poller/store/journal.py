"""The journal: opened once by the thread that owns it, written in transactions, one per batch."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from poller.clock import now_ms as clock_ms
from poller.errors import BusyError, StoreError
from poller.model import Before, Deadline, Retention
from poller.store.database import BUSY_SECONDS, IN_MEMORY, connect_writer, immediate, keep_pages
from poller.store.faults import translated
from poller.store.lock import PRUNING, SCHEMA, LockFile, prepare_folder
from poller.store.memory import Recall
from poller.store.migrate import migrate
from poller.store.names import Names
from poller.store.outbox import JournalOutbox
from poller.store.polls import Polls
from poller.store.prune import Pruned, empty_log, prune, prune_due
from poller.store.queue import Queue
from poller.store.rollup import RolledUp, roll_up
from poller.store.rollup_ledger import SqliteLedger
from poller.store.room import Space, growth_bytes, is_full
from poller.store.sql import statements
from poller.store.work import Work


class Journal:
    """The poller's working memory and, on SQLite, its archive. Belongs to the thread that opened it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, stays: bool = False) -> None:
        self.path = path
        self._connection = connection
        self._stays = stays
        if stays:
            keep_pages(connection)
        self._recall = Recall(connection, keeps=stays)
        self._polls = Polls(connection, self._recall)
        self._outbox: JournalOutbox | None = None
        self._seen_version = 0
        self._space = Space(None if path == IN_MEMORY else path)
        self._space.keep_reserve()

    @classmethod
    def open(cls, path: Path, *, now_ms: int, archived: bool | None = None, stays: bool = False) -> Journal:
        """Makes the database when there is none (mode 0600) and brings its schema up to date.

        `archived`: whether there is an archive elsewhere, for which changes are queued from now on; None leaves that
        as it is. `stays`: for a poller that polls the same hosts for hours, which keeps in mind what it has of them.
        `:memory:` is a database that is gone when it is closed, for a dry run. StoreError when it cannot be used;
        BusyError when another process has not finished an upgrade in 10 s.
        """
        if path == IN_MEMORY:
            return cls(_ready(path, now_ms), path, stays=stays)
        prepare_folder(path)
        with LockFile(path) as lock:
            if not lock.wait(SCHEMA, Deadline(BUSY_SECONDS)):
                raise BusyError(f"another poller is upgrading {path}", "wait for it to finish")
            journal = cls(_ready(path, now_ms), path, stays=stays)
        if archived is not None:
            journal._queue_for_archive(archived, now_ms)
        return journal

    def close(self) -> None:
        """The last one to close also empties the write-ahead log."""
        if self._outbox is not None:
            self._outbox.close()
        with translated(self.path):
            self._connection.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self, *, keep: bool = True, together: bool = False) -> Iterator[Work]:
        """Everything inside is stored when the block ends, and nothing of it when it raises or `keep` is False.

        `together`: for polls of many hosts, whose rows are written table by table at the end. It has no savepoints:
        what cannot be stored is told then, and nobody knows whose it was.
        """
        self._prepare()
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._forget_if_others_wrote()
                self._polls.bulk = self._space.settle(self._connection, self._polls.hosts, clock_ms())
                self._polls.gather(together=together)
                yield Work(self._connection, self.path, self._polls, self._recall, together=together)
                self._polls.flush()
                self._end(keep=keep)
            except BaseException:
                self._end(keep=False)
                raise

    def _end(self, *, keep: bool) -> None:
        if keep:
            self._connection.execute("COMMIT")
            return
        self._polls.forget()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _forget_if_others_wrote(self) -> None:
        """Ids that were looked up stay true until another connection commits (PRAGMA data_version)."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._seen_version:
            if self._stays:
                self._polls.doubt()
            else:
                self._polls.forget()
            self._seen_version = version

    def wait_for_others(self, seconds: float) -> None:
        """So long, instead of 10 s, a transaction waits for that of another program before it fails as `locked`."""
        with translated(self.path):
            self._connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}").fetchall()

    def make_room(self, error: StoreError) -> bool:
        """True when a transaction failed on a full disk whose reserve is given up now: it may be tried once more."""
        if not is_full(error):
            return False
        self._empty_log()  # that may have been all it wanted; on a full disk no commit comes so far as to try it
        if not self._space.relieve():
            return False
        self._empty_log()
        return True

    def _prepare(self) -> None:
        """Before something is written: what goes without loss first, then the reserve. StoreError when none is left."""
        self._note_growth()
        if self._space.scarce:
            self._empty_log()
            self._space.prepare()
            self._space.check_log()

    def _empty_log(self) -> None:
        with suppress(StoreError), translated(self.path):
            empty_log(self._connection)
        self._note_growth()

    def _note_growth(self) -> None:
        if self.path != IN_MEMORY:
            with translated(self.path):
                self._space.growth_bytes = growth_bytes(self._connection, self.path)

    def check_room(self) -> None:
        """StoreError `full` while there is only what was the reserve: alerts are stored, samples are not."""
        self._space.check()

    def before(self, hosts: Sequence[str]) -> dict[str, Before]:
        """What is remembered of each host; every name asked for is in the answer."""
        with translated(self.path):
            return {host: self._recall.ahead(host) for host in hosts}

    def prune_due(self, now_ms: int, every_ms: int) -> bool:
        """True when nobody has pruned for so long, or ever, and on a full disk."""
        if self._space.tight:
            return True
        with translated(self.path):
            return prune_due(self._connection, now_ms, every_ms)

    def prune(self, retention: Retention, now_ms: int, stop: threading.Event | None = None) -> Pruned:
        """Deletes what is older than it may be, in short transactions, and gives free pages back to the disk.

        Samples are rolled up before. When `stop` is set it ends soon, and goes on the next time. While another prune
        is at work it does nothing (`busy`).
        """
        stop = stop or threading.Event()
        if self.path == IN_MEMORY:
            return self._prune_alone(retention, now_ms, stop)
        with LockFile(self.path) as lock:
            if not lock.take(PRUNING):
                return Pruned({}, 0, busy=True)
            return self._prune_alone(retention, now_ms, stop)

    def _prune_alone(self, retention: Retention, now_ms: int, stop: threading.Event) -> Pruned:
        self._prepare()
        try:
            pruned = self._prune(retention, now_ms, stop)
        except StoreError as error:
            if not self.make_room(error):
                raise
            pruned = self._prune(retention, now_ms, stop)
        self._polls.forget()
        self._space.keep_reserve()
        return pruned

    def roll_up(
        self, retention: Retention, now_ms: int, stop: threading.Event | None = None, budget_seconds: float = 60.0
    ) -> RolledUp:
        """Makes the windows of five minutes and the hours that are over, in short transactions; goes on the next time.

        Nothing where history lives in an archive elsewhere: that makes its own.
        """
        if self._space.tight:
            return RolledUp()
        self._prepare()
        try:
            with translated(self.path):
                if self._connection.execute(statements()["archive_state"]).fetchone()[0]:
                    return RolledUp()
                closed_ms = now_ms - round(retention.samples * 1000)
                ledger = SqliteLedger(self._connection)
                return roll_up(ledger, closed_ms, now_ms, stop or threading.Event(), budget_seconds)
        except StoreError as error:
            if not self.make_room(error):
                raise
            return RolledUp()

    def roll_up_due(self, now_ms: int, every_ms: int) -> bool:
        """Whether an archive elsewhere was not rolled up for so long, as far as this journal knows; now it is noted."""
        with translated(self.path):
            row = self._connection.execute(statements()["last_done"], {"task": "rollup"}).fetchone()
            if row is not None and abs(now_ms - row[0]) < every_ms:
                return False
            with immediate(self._connection):
                self._connection.execute(statements()["note_done"], {"task": "rollup", "now_ms": now_ms})
        return True

    def _prune(self, retention: Retention, now_ms: int, stop: threading.Event) -> Pruned:
        self.roll_up(retention, now_ms, stop)
        with translated(self.path):
            return prune(self._connection, retention, now_ms, tight=self._space.tight, stop=stop)

    def queue(self) -> Queue:
        """What waits for the archive."""
        return Queue(self._connection, self.path)

    def names(self) -> Names:
        """The names of the addresses that hosts talk to."""
        return Names(self._connection, self.path)

    def _queue_for_archive(self, archived: bool, now_ms: int) -> None:
        try:
            self.queue().enable(archived=archived, now_ms=now_ms)
        except BaseException:
            self.close()
            raise

    def owes(self) -> bool:
        """Whether anybody is owed a message that is not held back."""
        with translated(self.path):
            return bool(self._connection.execute(statements()["owes"]).fetchone()[0])

    def outbox(self, now_ms: Callable[[], int] = clock_ms) -> JournalOutbox:
        """What people are owed (protocol `Outbox`). Its `close` lets other processes deliver."""
        self._prepare()
        if self._outbox is None:
            self._outbox = JournalOutbox(self._connection, self.path, now_ms)
        return self._outbox


def _ready(path: Path, now_ms: int) -> sqlite3.Connection:
    """A connection to a database of the newest schema."""
    connection = connect_writer(path)
    try:
        with translated(path):
            migrate(connection, path, now_ms)
    except BaseException:
        connection.close()
        raise
    return connection

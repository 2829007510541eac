"""Opening the SQLite file: who may own it, how it is set up, a connection that writes and one that only reads."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from poller.errors import StoreError
from poller.store.faults import no_room, refused, translated
from poller.store.lock import prepare_folder
from poller.store.room import Space

BUSY_SECONDS: Final = 10.0
IN_MEMORY: Final = Path(":memory:")

# FULL: a commit is on the disk when it returns, so what was acknowledged or mailed about survives a power cut too.
# It costs one fsync per batch, not per poll. The size limit cuts the log back after a long reader let it grow.
_SETTINGS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -4096",
    "PRAGMA temp_store = MEMORY",
)


def keep_pages(connection: sqlite3.Connection) -> None:
    """16 MB of them in the place of 4: for who writes the pages of all hosts over and over. A daemon has one such
    connection, and one of the other kind for each of its duties."""
    connection.execute("PRAGMA cache_size = -16384")


def connect_writer(path: Path) -> sqlite3.Connection:
    """A connection for the thread that owns the journal; an absent file is made, for its owner alone (mode 0600).

    No implicit transactions: every write begins with BEGIN IMMEDIATE, because a transaction that reads first
    and writes later fails at once when another writes (cpython #124510). The caller holds the schema lock.
    """
    if path == IN_MEMORY:
        return sqlite3.connect(":memory:", isolation_level=None)
    prepare_folder(path)
    check_file(path)
    Space(path).prepare()  # the files beside the database need room as soon as it is opened
    fresh = _create(path)
    with translated(path):
        connection = _connect(path, "rw")
        try:
            _set_up(connection, path, fresh=fresh)
        except BaseException:
            connection.close()
            raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path, *, fresh: bool) -> None:
    if fresh:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StoreError(
            f"{path}: the file system does not allow a write-ahead log", "use a local disk for <journal path=>"
        )
    for setting in _SETTINGS:
        connection.execute(setting)


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block is stored when it ends, nothing of it when it raises. Exceptions pass as they are."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, for one short look; works beside a writer. StoreError without a database."""
    check_file(path)
    if not path.exists():
        hint = "`poller run` makes it, and so does `poller daemon`"
        raise StoreError(f"there is no database yet at {path}", hint, code="absent")
    with translated(path), closing(_connect(path, _reading_mode(path))) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


def reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, for a journal that is open here anyway; threads may share it, one at a time."""
    uri = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _reading_mode(path: Path) -> str:
    """Readers of a write-ahead log share a file beside it. Who cannot make that can still read a database at rest."""
    log = path.with_name(path.name + "-wal")
    at_rest = not log.exists() or log.stat().st_size == 0
    return "ro&immutable=1" if at_rest and (not os.access(path.parent, os.W_OK) or no_room(path)) else "ro"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        cached_statements=256,
    )


def _create(path: Path) -> bool:
    """True when there is nothing in the file yet, so that it can still be set up."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return path.stat().st_size == 0
    except OSError as error:
        raise refused(error, path) from error
    return True


def check_file(path: Path) -> None:
    """Refuses a place where others could give us their file for ours, or rewrite what the poller remembers."""
    try:
        _check_link(path)
        if not path.exists():
            return
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise StoreError(f"{path}: it is not a file", "check path= of <journal> in config.xml", code="file")
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise StoreError(f"{path}: others may write it", f"chmod go-w {path}", code="mode")
    except OSError as error:
        raise refused(error, path) from error


def _check_link(path: Path) -> None:
    """A symbolic link must be ours or root's, as the kernel's protected_symlinks has it (proc_sys_fs(5))."""
    if path.is_symlink() and path.lstat().st_uid not in (0, os.geteuid()):
        raise StoreError(
            f"{path}: it is another user's symbolic link", "remove it, or name the file itself", code="link"
        )
    if not path.parent.exists():
        return
    folder = path.parent.stat()
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        raise StoreError(f"{path.parent}: everyone may replace files there", f"chmod o-w {path.parent}", code="mode")

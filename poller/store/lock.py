"""Who may work: locks that the kernel drops when their process dies, so that none is ever stale.

Byte-range locks of an open file description (fcntl(2), F_OFD_SETLK) on `<journal>.lock`, whose content only
names the holder of the round. Byte 0 is the round, 1 the schema, 2 the outbox, 3 shipping to the archive, 4 pruning;
each host has a byte far behind. They also keep the threads of one process apart. Nothing is locked in the database
itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from poller.errors import BusyError
from poller.model import Deadline
from poller.store.faults import refused

ROUND: Final = 0
SCHEMA: Final = 1
OUTBOX: Final = 2
SHIPPING: Final = 3
PRUNING: Final = 4
_FIRST_HOST: Final = 1024
_STEP_SECONDS: Final = 0.02


def host_slot(host: str) -> int:
    """The byte that stands for a host: 56 bits of a hash, so that two hosts do not share one."""
    return _FIRST_HOST + int.from_bytes(hashlib.sha256(host.encode("utf-8", "surrogateescape")).digest()[:7], "big")


class LockFile:
    """The open lock file. Each object has locks of its own, also within one process."""

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + ".lock")
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused(error, self.path) from error

    def take(self, slot: int) -> bool:
        """False when another holds it."""
        with suppress(BlockingIOError, PermissionError):  # EAGAIN or EACCES, fcntl(2)
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK, slot))
            return True
        return False

    def wait(self, slot: int, deadline: Deadline) -> bool:
        """As `take`, but tries until the deadline. The kernel's own wait could not be ended in time."""
        while not self.take(slot):
            if deadline.passed:
                return False
            time.sleep(min(_STEP_SECONDS, deadline.remaining))
        return True

    def drop(self, slot: int) -> None:
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK, slot))

    def sign(self) -> None:
        """Leaves our process number for the message of who comes second. On a full disk there is none."""
        with suppress(OSError):
            os.pwrite(self._fd, b"%-20d\n" % os.getpid(), 0)

    def signature(self) -> str:
        return os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()

    def close(self) -> None:
        """Drops every lock of this object."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> LockFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(AttributeError):  # when it could not be opened
            self.close()


def _flock(kind: int, slot: int) -> bytes:
    """struct flock of fcntl(2): type, whence, start, length, pid (0 for these locks)."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, slot, 1, 0)


def round_goes_on(journal: Path) -> bool:
    """Whether somebody holds the lock of rounds. Looks, and takes nothing. OSError when there is no lock file."""
    fd = os.open(journal.with_name(journal.name + ".lock"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        held = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _flock(fcntl.F_WRLCK, ROUND))
    finally:
        os.close(fd)
    return bool(struct.unpack_from("h", held)[0] != fcntl.F_UNLCK)


class RoundLock:
    """One full round at a time: `with RoundLock(config.journal): ...`, else BusyError at once."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def __enter__(self) -> RoundLock:
        prepare_folder(self._journal)
        self._file = LockFile(self._journal)
        if not self._file.take(ROUND):
            holder = self._file.signature()
            self._file.close()
            raise BusyError(
                f"another round is going on (process {holder or 'unknown'})",
                "wait for it, or make interval= longer than a round takes",
            )
        self._file.sign()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Leases:
    """A host is polled by one at a time, among all threads and processes that share the journal. Thread-safe."""

    def __init__(self, journal: Path) -> None:
        prepare_folder(journal)
        self._file = LockFile(journal)
        self._held: set[str] = set()
        self._changed = threading.Condition()

    def acquire(self, host: str, deadline: Deadline) -> None:
        """Returns holding the lease; BusyError when another still has it at the deadline."""
        with self._changed:
            free = self._changed.wait_for(lambda: host not in self._held, deadline.remaining)
            if free:
                self._held.add(host)
        if free and self._file.wait(host_slot(host), deadline):
            return
        if free:
            self._forget(host)
        raise BusyError(f"another poller is at work on {host}", "wait for it to finish")

    def release(self, host: str) -> None:
        """Does nothing after `close`: a thread that was given up may come back late."""
        with suppress(ValueError, OSError):
            self._file.drop(host_slot(host))
        self._forget(host)

    def _forget(self, host: str) -> None:
        with self._changed:
            self._held.discard(host)
            self._changed.notify_all()

    def close(self) -> None:
        """Gives every lease back."""
        self._file.close()

    def __enter__(self) -> Leases:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prepare_folder(journal: Path) -> None:
    """The folder of the journal, made for its owner alone when it is missing."""
    try:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refused(error, journal.parent) from error

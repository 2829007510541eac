"""Room on the disk of the journal: how much there is, what is left out when it runs short, and a reserve for the end.

Deleting needs room too, and so do an alert, the mail that it owes, and what the next poll must remember. So a file
`<journal>.reserve` holds RESERVE_BYTES that are really allocated, and is given up when the disk is full. Given up it
stays as an empty file: that is how every process knows. It is filled again once there is room.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.errors import StoreError
from poller.model import Event, Severity
from poller.store.faults import refused
from poller.store.hosts import Hosts
from poller.store.sql import statements

_log = logging.getLogger(__name__)

RESERVE_BYTES: Final = 4 << 20
# Less than this and the next transaction may not fit: the reserve is given up before SQLite has to complain.
_TIGHT_BYTES: Final = 1 << 20
# 5 % as root's share of ext4 has it; but 5 % of 4 TB is 200 GB, with which a journal can live for years.
_LOW_SHARE: Final = 20
_LOW_MOST: Final = 1 << 30
# What was low is so until there is a quarter more than that, or a log file that grows and shrinks makes many gaps.
_ENOUGH: Final = 1.25
_GAP: Final = "gap"


@dataclass(frozen=True, slots=True)
class Room:
    """Of one file system, for us: what is set aside for root is not counted as free."""

    free_bytes: int
    total_bytes: int

    @property
    def limit_bytes(self) -> int:
        """With less than this it is low: 5 % of the disk, but never more than 1 GiB."""
        return min(self.total_bytes // _LOW_SHARE, _LOW_MOST)

    @property
    def low(self) -> bool:
        return self.free_bytes < self.limit_bytes

    @property
    def free_percent(self) -> float:
        return 100 * self.free_bytes / self.total_bytes if self.total_bytes else 100.0


def room(path: Path) -> Room:
    """Of the file system that holds `path`, which need not exist yet. StoreError when it cannot be asked."""
    try:
        place = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
        found = os.statvfs(place)
    except OSError as error:
        raise refused(error, path) from error
    return Room(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


class Reserve:
    """The file that is given up. Whatever goes wrong with it is no reason not to poll."""

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + ".reserve")

    @property
    def given_up(self) -> bool:
        """It was there and was needed. (One that never was does not count: then the disk was small from the start.)"""
        return self._size() == 0

    def _size(self) -> int | None:
        with suppress(OSError):
            found = self.path.lstat()
            return found.st_size if stat.S_ISREG(found.st_mode) else None
        return None

    def keep(self, there: Room) -> None:
        """Makes it, or fills it again, when there is ample room: as much again, and not low with it either."""
        if there.free_bytes - RESERVE_BYTES < max(there.limit_bytes, RESERVE_BYTES) or (self._size() or 0) > 0:
            return
        try:
            self._fill()
        except OSError as error:
            _log.info("no reserve at %s: %s", self.path, error.strerror)

    def _fill(self) -> None:
        number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(number, 0, RESERVE_BYTES)
        except OSError:
            os.ftruncate(number, 0)
            raise
        finally:
            os.close(number)

    def give_up(self) -> bool:
        """Gives its room to the journal. False when there was nothing to give."""
        if not self._size():
            return False
        try:
            os.truncate(self.path, 0)
        except OSError as error:
            _log.info("the reserve at %s cannot be given up: %s", self.path, error.strerror)
            return False
        _log.info("%s is given up: the disk is full", self.path)
        return True


def growth_bytes(connection: sqlite3.Connection, path: Path) -> int:
    """By how much the file will grow when the write-ahead log goes into it."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return max(0, int(pages) * int(page_bytes) - path.stat().st_size)


def is_full(error: StoreError) -> bool:
    """Whether it was for want of room, also when that ended a whole batch."""
    return error.code == "full" or getattr(error.__cause__, "code", "") == "full"


class Space:
    """The room of one journal, as its writer sees it. Without a path (a database in memory) there is always enough."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._reserve = Reserve(path) if path else None
        self.growth_bytes = 0

    @property
    def room(self) -> Room:
        """Without what the log will need when it goes into the file."""
        found = room(self._path) if self._path else Room(1, 1)
        return Room(found.free_bytes - self.growth_bytes, found.total_bytes)

    def prepare(self) -> None:
        """Before something is written: gives up the reserve when hardly anything is left."""
        if self._reserve and self.scarce:
            self._reserve.give_up()

    @property
    def scarce(self) -> bool:
        return self._path is not None and self.room.free_bytes < _TIGHT_BYTES

    def check_log(self) -> None:
        """StoreError (full) while a reader holds up a log for which there is hardly room in the file any more.

        More in the log would make it impossible to empty it, also when the reader has gone.
        """
        if self.growth_bytes and self.room.free_bytes < _TIGHT_BYTES // 2:
            raise StoreError(
                f"{self._path}: the disk is full, and a reader keeps the write-ahead log from being emptied",
                "end the program that reads the database, and free some space there",
                code="full",
            )

    def relieve(self) -> bool:
        """After something failed for want of room: True when there is some now, if only what was the reserve."""
        return self._reserve is not None and (not self.scarce or self._reserve.give_up())

    def keep_reserve(self) -> None:
        if self._reserve:
            self._reserve.keep(self.room)

    @property
    def tight(self) -> bool:
        """The reserve is gone: only what matters is stored, and what is deleted is deleted in small steps."""
        return self._reserve is not None and self._reserve.given_up

    def check(self) -> None:
        """StoreError (full) while the journal lives on what was its reserve."""
        if self.tight and self.room.free_bytes < 2 * RESERVE_BYTES:
            raise StoreError(
                f"{self._path}: the disk is full: polls and alerts still go into the reserve, samples are not stored",
                "free some space there, or lower <retention> and run `poller db prune`",
                code="full",
            )

    def settle(self, connection: sqlite3.Connection, hosts: Hosts, now_ms: int) -> bool:
        """In a transaction: may samples be stored? When a gap in them begins or ends, that is an event, once."""
        if self._path is None:
            return True
        row = connection.execute(statements()["last_done"], {"task": _GAP}).fetchone()
        there = self.room
        short = self.tight or there.free_bytes < there.limit_bytes * (_ENOUGH if row else 1)
        if short and row is None:
            connection.execute(statements()["note_done"], {"task": _GAP, "now_ms": now_ms})
            text = f"samples are not stored from now on: {there.free_percent:.1f} % of the disk is free"
            hosts.store_event(None, Event(_GAP, now_ms, Severity.HIGH, text))
        elif not short and row is not None:
            connection.execute(statements()["forget_done"], {"task": _GAP})
            text = f"samples are stored again, after {max(0, now_ms - row[0]) / 60_000:.0f} minutes without"
            hosts.store_event(None, Event(_GAP, now_ms, Severity.LOW, text))
        return not short

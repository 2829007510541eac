"""What SQLite and the file system complain about -> StoreError: one table, used at the door of the package."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from poller.errors import StoreError

# Matched by text: before Python 3.11 the exceptions carry no code. The texts are sqlite3ErrStr() of SQLite's main.c.
_TABLE: Final = (
    (
        "disk is full",
        "full",
        "the disk is full",
        "free some space there, then `poller db prune`: nothing is half stored",
    ),
    ("readonly database", "readonly", "it may not be written", "check its owner, its mode and that of its folder"),
    ("unable to open", "open", "it cannot be opened", "check that folder and file may be read and written by you"),
    ("not a database", "foreign", "it is not an SQLite database", "check path= of <journal> in config.xml"),
    ("malformed", "corrupt", "it is damaged", "restore a copy made with `poller db backup`, or move it away"),
    ("locked", "locked", "another program keeps it locked", "end the program that holds it, then run again"),
    ("disk I/O error", "io", "reading or writing failed", "look at the disk: `dmesg`, `df`, `df -i`"),
    ("no such table", "schema", "a table is missing", "`poller db upgrade`; or is it another program's database?"),
    ("no such column", "schema", "its schema is not the one of this poller", "`poller db upgrade`"),
)

_SHARED_BYTES: Final = 32 * 1024


def store_error(error: Exception, path: Path) -> StoreError:
    """The StoreError that says in words what `error` means for the database at `path`."""
    text = str(error)
    if "disk I/O error" in text and no_room(path):
        text = "disk is full"
    for part, code, sentence, hint in _TABLE:
        if part in text:
            return StoreError(f"{path}: {sentence}", hint, code=code)
    return StoreError(f"{path}: {text}", "run with -vv and report it if the disk is well")


def no_room(path: Path) -> bool:
    """Whether the file system is full: where only memory is mapped to a file SQLite does not tell (-shm, 32 KiB)."""
    try:
        return shutil.disk_usage(path.parent).free < _SHARED_BYTES
    except OSError:
        return False


def refused(error: OSError, path: Path) -> StoreError:
    """The StoreError for a file or folder that the system does not let us use."""
    return StoreError(f"{path}: {error.strerror or error}", "check the path, its owner, its mode and the space left")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Everything SQLite complains about inside the block leaves it as StoreError; other exceptions pass.

    The sqlite3 module refuses an integer beyond 64 bits by an OverflowError that names SQLite.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    except OverflowError as error:
        if "SQLite" not in str(error):
            raise
        raise store_error(error, path) from error

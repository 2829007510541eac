"""What SQLite says of an archive -> StoreError with the codes of `Archive`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from poller.errors import StoreError
from poller.store.faults import store_error

# What stands in the way of this row; anything else that SQLite says stands in the way of every row.
_DATA: Final = ("too large", "too big", "surrogates not allowed")
# Constraints, also those that somebody added as a trigger, in whose words we have no say.
_OF_A_ROW: Final = (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's complaints, and those of our own door to it, with the codes of `Archive`."""
    try:
        yield
    except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
        text = str(error)
        if isinstance(error, _OF_A_ROW) or any(part in text for part in _DATA):
            raise StoreError(f"{path}: {text}", code="data") from error
        raise _coded(store_error(error, path)) from error
    except StoreError as error:
        if error.code in _CODES:
            raise
        raise _coded(error) from error


_CODES: Final = frozenset({"away", "denied", "absent", "older", "newer", "edited", "busy", "data"})


def _coded(error: StoreError) -> StoreError:
    if error.code == "locked":
        return StoreError(error.sentence, error.hint, code="busy")
    code = "edited" if error.code in ("foreign", "schema") else "away"
    return StoreError(error.sentence, error.hint, code=code)

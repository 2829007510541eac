"""Secrets by reference: a file that nobody else may touch, or an environment variable. Read when used, never kept."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from poller.config.mistakes import WrongError
from poller.errors import PollerError
from poller.model import Secret

MOST_BYTES: Final = 64 * 1024


def reveal(secret: Secret, environ: Mapping[str, str] = os.environ) -> str:
    """The secret itself, without the newline that editors put at the end.

    PollerError (code `secret`) when it is missing, empty, or open to others; the message never holds the value.
    """
    try:
        value = environ_value(secret.reference, environ) if secret.kind == "env" else _file_value(secret.reference)
    except WrongError as wrong:
        place = f"{secret.where}: " if secret.where else ""
        raise PollerError(f"{place}{secret} {wrong.predicate}", wrong.hint, code="secret") from None
    return value


def address(url: Secret | None, plain: str) -> str:
    """Where a channel or a heartbeat goes: what `url` holds, else `plain`. PollerError as `reveal`."""
    return reveal(url).strip() if url else plain


def environ_value(variable: str, environ: Mapping[str, str]) -> str:
    """The value of a variable that must be set and not empty."""
    value = environ.get(variable, "")
    if not value:
        raise WrongError("names an environment variable that is not set")
    return value


def check_private(status: os.stat_result, path: Path | str) -> None:
    """Raises unless the file is ours or root's and nobody else may read or write it."""
    check_owner(status)
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise WrongError("may be read or changed by others", f"chmod go= {shlex.quote(str(path))}")


def check_owner(status: os.stat_result) -> None:
    """Raises unless the file is ours or root's."""
    if status.st_uid not in (os.geteuid(), 0):
        raise WrongError(f"belongs to another user (uid {status.st_uid})", "it must be the poller's own, or root's")


def open_plain(path: Path | str) -> int:
    """A descriptor for reading a regular file. Never waits, whatever stands there (a FIFO would block a plain open)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise WrongError("does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WrongError(f"cannot be opened: {reason}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise WrongError("is not a regular file")
    return descriptor


def _file_value(path: str) -> str:
    with os.fdopen(open_plain(path), "rb") as file:
        check_private(os.fstat(file.fileno()), path)
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise WrongError("is larger than any secret")
    try:
        value = content.decode()
    except UnicodeDecodeError:
        raise WrongError("is not UTF-8 text") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise WrongError("is empty")
    return value

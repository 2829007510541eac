"""stdin, stdout and stderr as they come: closed, a pipe, a full disk, an encoding that cannot hold every name."""

from __future__ import annotations

import os
import sys
from typing import TextIO


class ReaderGoneError(Exception):
    """Whoever read our output (head, less) has seen enough."""


def prepare() -> None:
    """Gives the process three open streams, and streams that show a character they cannot hold as an escape.

    A closed one is replaced by /dev/null: otherwise the next file or socket would get its number, and Python's
    `sys.stdout` would be None.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = _tolerant(sys.stdout or os.fdopen(1, "w", closefd=False))
    sys.stderr = _tolerant(sys.stderr or os.fdopen(2, "w", closefd=False))


def _tolerant(stream: TextIO) -> TextIO:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream


def discard(stream: TextIO) -> None:
    """Sends what is still in the stream's buffer nowhere, so that the interpreter's own flush at exit cannot fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def flush() -> None:
    """Writes out what is left. BrokenPipeError when the reader has gone, OSError when the disk is full."""
    sys.stdout.flush()

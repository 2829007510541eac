"""A command on a terminal of its own: what somebody sees who runs it there, and what his keys do."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

CTRL_C = b"\x03"


class Terminal:
    """`shown` is all that came so far, escape sequences and all. Every wait is bounded by the test's own time limit."""

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int) -> None:
        self._process = process
        self._keyboard = keyboard
        self.shown = ""

    def until(self, words: str) -> str:
        """Waits until that stands there; all that came so far."""
        while words not in self.shown:
            assert self._read(), f"it ended before that: {self.shown!r}"
        return self.shown

    def press(self, keys: bytes) -> None:
        os.write(self._keyboard, keys)

    def end(self) -> int:
        """Waits until the command has ended; its exit code."""
        while self._read():
            pass
        return self._process.wait(60)

    def _read(self) -> bool:
        with suppress(OSError):  # EIO: the last one that had it open has gone
            data = os.read(self._keyboard, 1 << 16)
            self.shown += data.decode("utf-8", "replace")
            return bool(data)
        return False


@contextmanager
def terminal(
    folder: Path, *words: str, columns: int = 100, lines: int = 24, environ: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """`poller WORDS` in `folder`, which is also its home, as the one that Ctrl-C goes to."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN, *words],
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environ or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait(60)
        os.close(ours)


# The terminal becomes that of the new session, as a login does it; and no shell has said that Ctrl-C is to be ignored.
_OWN = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from poller.cli import main
main(sys.argv[1:])
"""

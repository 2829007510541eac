"""A command that stays, as a process of its own that nobody but the test ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Running:
    """One running `poller …`. Every wait is bounded by the test's own time limit."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def lines(self) -> Iterator[str]:
        """What it prints from now on, line by line as it comes, until it ends."""
        assert self._process.stdout
        for line in self._process.stdout:
            yield line.rstrip("\n")

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Sends the signal, by default Ctrl-C; the exit code and what it said on stderr."""
        self._process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Once it has ended by itself: the exit code and what it said on stderr."""
        _, err = self._process.communicate(timeout=60)
        return self._process.returncode, err

    def stop_reading(self) -> int:
        """Closes the other end of its output; the exit code."""
        assert self._process.stdout
        self._process.stdout.close()
        return self._process.wait(timeout=60)


@contextmanager
def process(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`poller WORDS` in `folder`, which is also its home."""
    # A process that a shell started in the background ignores Ctrl-C, and so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        started = subprocess.Popen(
            [sys.executable, "-m", "poller", *words],
            cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()

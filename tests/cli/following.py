"""A command that follows, as a process of its own: what it prints, line by line, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Follower:
    """One running `poller … --follow`. Every wait is bounded by the test's own time limit."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def until(self, word: str) -> list[str]:
        """Lines up to the first one that holds `word`."""
        assert self._process.stdout
        lines = []
        for line in self._process.stdout:
            lines.append(line.rstrip("\n"))
            if word in line:
                return lines
        raise AssertionError(f"it ended before it said {word!r}: {lines}")

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; the exit code and what it said on stderr."""
        self._process.send_signal(signal.SIGINT)
        _, err = self._process.communicate(timeout=30)
        return self._process.returncode, err

    def stop_reading(self) -> int:
        """Closes the other end of its output; the exit code."""
        assert self._process.stdout
        self._process.stdout.close()
        return self._process.wait(timeout=30)


@contextmanager
def following(folder: Path, *words: str) -> Iterator[Follower]:
    # A process that a shell started in the background ignores Ctrl-C, and so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "poller", *words, "--follow"],
        cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    try:
        yield Follower(process)
    finally:
        process.kill()
        process.communicate()

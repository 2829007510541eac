"""A command that follows: what it prints up to some word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.running import Running, process


class Follower(Running):
    """One running `poller … --follow`."""

    def until(self, word: str) -> list[str]:
        """Lines up to the first one that holds `word`."""
        lines = []
        for line in self.lines():
            lines.append(line)
            if word in line:
                return lines
        raise AssertionError(f"it ended before it said {word!r}: {lines}, {self.ended()[1]}")

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; the exit code and what it said on stderr."""
        return self.end()


@contextmanager
def following(folder: Path, *words: str) -> Iterator[Follower]:
    with process(folder, *words, "--follow") as started:
        yield Follower(started)

"""A regular expression of the user's over text that others wrote, with a bound on the time it may take.

Python's `re` may need exponential time for a few patterns and lines. Two bounds: only the first 4,096 characters of a
line are looked at, and a page of lines may take five seconds of CPU time. The clock is that of the process
(ITIMER_VIRTUAL of setitimer(2)); `re` looks for signals while it works, so the alarm, and Ctrl-C, end it.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from poller.errors import UsageError

SECONDS: Final = 5.0
CHARACTERS: Final = 4_096

Spans = tuple[tuple[int, int], ...]


class Grep:
    """`spans` says where the pattern is found in a text; None when it is not."""

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(
                f"--grep {pattern!r} is no regular expression: {error}", "quote signs like ( or [ with a backslash"
            ) from error

    def spans(self, text: str) -> Spans | None:
        found = tuple(match.span() for match in self._pattern.finditer(text[:CHARACTERS]))
        return found or None


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """UsageError when the block needs more CPU time than that. For the main thread only."""

    def alarm(number: int, frame: FrameType | None) -> NoReturn:
        raise UsageError(
            f"--grep took longer than {seconds:g} s over one page of lines", "write the pattern without nested repeats"
        )

    before = signal.signal(signal.SIGVTALRM, alarm)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

"""Polls that wait for the journal, oldest first, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from poller.model import Poll

# Rows of reports that wait at most, some 450 bytes each: 180 MB. A poll that brought none counts as one.
MOST_ROWS: Final = 400_000


class Backlog:
    """Polls by the order in which they came. It says itself how much is too much (`bound`)."""

    def __init__(self) -> None:
        self._polls: deque[Poll] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return len(self._polls)

    def add(self, polls: Iterable[Poll]) -> None:
        for poll in polls:
            self._polls.append(poll)
            self._rows += _rows(poll)

    def oldest(self, most: int) -> list[Poll]:
        """They stay until they are dropped."""
        return list(islice(self._polls, most))

    def drop(self, count: int) -> None:
        """The oldest are done with."""
        for _ in range(count):
            self._rows -= _rows(self._polls.popleft())

    def bound(self) -> int:
        """Gives up the oldest of what is too much; how many."""
        count = 0
        while self._rows > MOST_ROWS and self._polls:
            self.drop(1)
            count += 1
        return count

    def keep(self, hosts: Collection[str]) -> None:
        """Forgets those of all other hosts."""
        kept = [poll for poll in self._polls if poll.host in hosts]
        self._polls, self._rows = deque(), 0
        self.add(kept)


def _rows(poll: Poll) -> int:
    if poll.report is None:
        return 1
    return 1 + sum(len(section.rows) for reading in poll.report.readings for section in reading.sections)

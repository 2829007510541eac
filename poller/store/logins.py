"""Logins that a host refused in a row: counted with each poll, and asked for just before the next attempt.

sshd counts failed logins too, and locks the poller's address out (PerSourcePenalties, OpenSSH 9.8): a second account
there would suffer for the first one.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Final

from poller.model import BACK_OFF_MS, Logins, Poll
from poller.store.database import reader
from poller.store.faults import translated
from poller.store.pending import Pending
from poller.store.sql import statements

# So many refusals in a row are borne before no login is tried for a while.
TRIES: Final = 2
# What a server counts as a failed login. A key of ours that cannot be used was never shown to it.
_REFUSED: Final = frozenset({("auth", "denied"), ("auth", "method"), ("auth", "closed")})


def remember(pending: Pending, host_id: int, poll: Poll) -> None:
    """One more refusal, or none any more when it came past the login. What ended before the login says nothing."""
    if (poll.stage, poll.code) in _REFUSED:
        row = {"host_id": host_id, "tries": TRIES, "until_ms": poll.at_ms + BACK_OFF_MS}
        pending.add(statements()["remember_refusal"], [row])
    elif poll.host_key:
        pending.add(statements()["forget_refusals"], [{"host_id": host_id}])


class LoginMemory:
    """What the journal knows of refused logins at this moment. For the threads of hosts; one connection for all."""

    def __init__(self, journal: Path) -> None:
        self._path = journal
        self._lock = threading.Lock()
        with translated(journal):
            self._connection = reader(journal)

    def of(self, host: str) -> Logins:
        """Of a host, as it is committed now; StoreError."""
        with self._lock, translated(self._path):
            row = self._connection.execute(statements()["find_logins"], {"name": host}).fetchone()
        return Logins(*row) if row else Logins()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> LoginMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""One daemon per journal: the lock of rounds, held for as long as it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from poller.daemon.beside import holder
from poller.errors import BusyError
from poller.model import Deadline
from poller.store.lock import RoundLock

# Seconds that a round of `poller run` may still take before the daemon says that it is in the way.
_PATIENCE: Final = 3.0
_LOOK: Final = 0.1
_HINT: Final = "one daemon or round at a time: `poller daemon --status` asks a daemon how it is"


@contextmanager
def only_one(journal: Path, stop: threading.Event) -> Iterator[None]:
    """BusyError when another daemon, or a round, does not end in a moment."""
    deadline = Deadline(_PATIENCE)
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(RoundLock(journal))
                break
            except BusyError as error:
                if deadline.passed or stop.is_set():
                    raise BusyError(_sentence(journal) or error.sentence, _HINT) from error
                time.sleep(_LOOK)
        yield


def _sentence(journal: Path) -> str:
    pid = holder(journal)
    return f"a daemon (process {pid}) is at work on {journal} already" if pid else ""

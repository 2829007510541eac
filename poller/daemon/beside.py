"""A daemon that has the journal, whether or not it answers at its socket: the lock of rounds names its process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from poller.errors import BusyError
from poller.model import Config
from poller.store.lock import round_goes_on


def refuse_beside_daemon(config: Config) -> None:
    """BusyError when a daemon has the journal. For whoever found nobody at the socket: two must not hold one host."""
    pid = holder(config.journal)
    if pid:
        raise BusyError(
            f"a daemon (process {pid}) is at work on {config.journal}, but does not answer at its socket",
            "if it was started just now, try again; else it listens where config.xml said then: "
            f"`poller daemon --status --socket PATH`, and `kill {pid}` ends it",
        )


def holder(journal: Path) -> int:
    """The process that signed the lock of rounds, when that is a daemon that lives and the lock is held; else 0."""
    with suppress(OSError, ValueError):
        pid = int(journal.with_name(journal.name + ".lock").read_bytes()[:20])
        return pid if lives(pid) and round_goes_on(journal) else 0
    return 0


def lives(pid: int) -> bool:
    """Whether that process is a daemon. One that has ended has no words any more, also before its parent knows."""
    with suppress(OSError):
        return b"daemon" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False

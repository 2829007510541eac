"""Stop a process, and be sure of it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

_PATIENCE_SECONDS: Final = 10.0


def stop(pid: int) -> None:
    """SIGSTOP, and back only when each of its threads has stopped: kill(2) returns before a busy one has noticed.

    AssertionError when it does not stop, ProcessLookupError when it is not there.
    """
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + _PATIENCE_SECONDS
    while running := [task.name for task in Path(f"/proc/{pid}/task").iterdir() if _state(task) not in "tTZX"]:
        assert time.monotonic() < until, f"threads {running} of process {pid} do not stop"
        time.sleep(0.001)


def _state(task: Path) -> str:
    """The one letter of proc_pid_stat(5); it stands behind the name, which may hold anything."""
    try:
        return task.joinpath("stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"

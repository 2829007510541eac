"""The centre's wall clock. What must not depend on its steps uses `poller.model.Deadline` instead."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def now_ms() -> int:
    """UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


def booted() -> tuple[str, int] | None:
    """The boot id of this machine and when it booted by the wall clock: that moves when somebody sets the clock.

    From /proc/uptime, which counts sleep too (proc_uptime(5)); None where there is no /proc.
    """
    try:
        boot_id = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        uptime = float((_PROC / "uptime").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return boot_id, now_ms() - round(uptime * 1000)

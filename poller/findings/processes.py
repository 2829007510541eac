"""Two readings of the processes of a host -> the busiest and the largest."""

from __future__ import annotations

from typing import Final

from poller.findings.remembered import earlier, section_of
from poller.model import Process, Reading, Watch

# Seconds that a process may have begun behind the uptime of its report, which is read first.
_SLACK: Final = 5.0

Busy = tuple[int, str, int, str, "float | None", int, str]


def busiest(before: Reading | None, now: Reading, watch: Watch) -> tuple[Busy, ...]:
    """(pid, name, uid, user, CPU percent of one core or None, bytes, command): `watch.top` by each of both.

    The percentage is over the time since the reading before; None for a process of which nothing is known then. One
    that began since had used nothing. The busiest come first, those without a percentage last.
    """
    section = section_of(now, "top")
    if section is None:
        return ()
    rows = [row for row in section.rows if isinstance(row, Process)]
    percent = _percent(before, now, rows)
    by_use = sorted(rows, key=lambda row: (-(percent.get(row.pid, -1.0)), -row.memory, row.pid))
    largest = {row.pid for row in sorted(rows, key=lambda row: (-row.memory, row.pid))[: watch.top]}
    busy = {row.pid for row in by_use[: watch.top] if row.pid in percent}
    told = busy | largest
    return tuple(
        (row.pid, row.name, row.uid, row.user, percent.get(row.pid), row.memory, row.command)
        for row in by_use
        if row.pid in told
    )


def _percent(before: Reading | None, now: Reading, rows: list[Process]) -> dict[int, float]:
    """Of one core, by PID. A PID whose process began at another moment is another process."""
    remembered = earlier(before, now, "top")
    if remembered is None:
        return {}
    section, elapsed = remembered
    was = {(row.pid, row.started): row.cpu for row in section.rows if isinstance(row, Process)}
    found = {}
    for row in rows:
        # Never in a container whose uptime is its own: its processes count from the boot of the machine.
        new = now.uptime - elapsed < row.started < now.uptime + _SLACK
        used = was.get((row.pid, row.started), 0.0 if new else None)
        if used is not None and row.cpu >= used:
            found[row.pid] = 100.0 * (row.cpu - used) / elapsed
    return found

"""Runs a command to its end and says what it cost: CPU of it and all its children, wall clock."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU (user + system, waited-for children included), seconds of wall clock."""

    cpu: float
    wall: float


def cost(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    until: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Cost:
    """Runs it once. `until` may talk with the process before it ends; a command that fails is an error."""
    start = time.monotonic()
    pipe = subprocess.PIPE if until or stdin else subprocess.DEVNULL
    out = subprocess.PIPE if until else subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=out, stderr=subprocess.PIPE)
    if process.stdin:
        process.stdin.write(stdin)
        process.stdin.flush()
    if until:
        until(process)
    if process.stdin:
        process.stdin.close()
    assert process.stderr
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} exited with {process.returncode}: {errors[-2000:].decode(errors='replace')}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - start)


def peak_bytes(process: subprocess.Popen[bytes]) -> int:
    """Most memory that a process, which still runs, ever had resident (VmHWM of proc_pid_status(5)).

    Not ru_maxrss: that begins with the size of the process that started it, which is this one.
    """
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: what was measured, and the most its median may be. `values` are the ratios or figures of the runs.

    Without a `target` it is no claim, only somebody else's figure beside ours.
    """

    claim: str
    figures: str
    values: tuple[float, ...]
    target: float | None
    unit: str = "x"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def held(self) -> bool:
        return self.target is None or self.median <= self.target

    def __str__(self) -> str:
        """As a line of the table."""
        most = "" if self.target is None else f"{self.target:.3g} {self.unit}"
        verdict = "for comparison" if self.target is None else "held" if self.held else "NOT held"
        found = f"{self.median:.3g}" if len(self.values) == 1 else spread(self.values)
        return f"| {self.claim} | {self.figures} | {len(self.values)} | {found} {self.unit} | {most} | {verdict} |"


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that cannot be measured here, and why."""

    claim: str
    why: str

    def __str__(self) -> str:
        return f"| {self.claim} | {self.why} | | | | not measured |"


Rows = Iterator[Row | Missing]


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """min / median / max, scaled."""
    return " / ".join(f"{value * scale:.3g}" for value in (min(values), statistics.median(values), max(values)))


def ratios(claim: str, ours: Sequence[float], theirs: Sequence[float], target: float | None, what: str) -> Row:
    """Ours beside theirs, run by run; `what` names the figure, given in thousandths: "CPU ms"."""
    figures = f"{what}: {spread(ours, 1000)} beside {spread(theirs, 1000)}"
    return Row(claim, figures, tuple(a / b for a, b in zip(ours, theirs, strict=True)), target)

"""What a process is made of: threads, descriptors, memory. As a program it runs the poller and writes that down.

python -m faults.footprint FILE poller-arguments...
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes are resident ones: `peak_bytes` the most there ever were (VmHWM of proc_pid_status(5))."""

    threads: int
    descriptors: int
    bytes: int
    peak_bytes: int
    children: int


def own() -> Footprint:
    """Of this process."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    folder = Path("/proc/self/task")
    children = sum(len((task / "children").read_text().split()) for task in folder.iterdir())
    return Footprint(
        threading.active_count(),
        len(list(Path("/proc/self/fd").iterdir())),
        int(status["VmRSS"].split()[0]) * 1024,
        int(status["VmHWM"].split()[0]) * 1024,
        children,
    )


def main() -> None:
    from poller.cli import main as poller

    try:
        poller(sys.argv[2:])
    finally:
        Path(sys.argv[1]).write_text(json.dumps(asdict(own())))


if __name__ == "__main__":
    main()

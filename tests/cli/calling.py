"""Calls the poller as a user does: a process of its own, with nothing of the developer's in its environment."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def poller(folder: Path, *arguments: str, stdin: str = "", **environ: str) -> Answer:
    """Runs `poller ARGUMENTS` in `folder`, which is also its home."""
    done = subprocess.run(
        [sys.executable, "-m", "poller", *arguments],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Answer(done.returncode, done.stdout, done.stderr)

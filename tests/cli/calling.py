"""Calls the poller as a user does, with nothing of the developer's in its environment.

`poller` is a process of its own; `Inside` goes through the same entry point in the process of the test: much quicker,
for what needs no streams of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from poller.cli import main


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


class Inside:
    """`inside("run", "--json")` in `folder`, which is also the home."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, **environ: str) -> Answer:
        self._capsys.readouterr()
        with self._monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
            for name in os.environ:
                patch.delenv(name)
            for name, value in {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", **environ}.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            main(words)
        shown = self._capsys.readouterr()
        return Answer(int(ended.value.code or 0), shown.out, shown.err)

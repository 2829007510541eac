"""A piece of work in a process of its own, so that its memory and its end are its own.

apart(function, "argument") -> what the function returned, through JSON

with Meter() as spent: ...      spent.seconds of CPU, spent.mib that the process grew to meanwhile
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]


class Meter:
    """What a block of code costs. Only where nothing else is done at the same time."""

    def __enter__(self) -> Meter:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: proc_pid_clear_refs(5)
        self._before = _kib("VmRSS")
        self._start = time.process_time()
        return self

    def __exit__(self, *ignored: object) -> None:
        self.seconds = time.process_time() - self._start
        self.mib = (_kib("VmHWM") - self._before) / 1024


def _kib(name: str) -> int:
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith(name))


def apart(function: Callable[..., Any], *arguments: str, seconds: float = 300) -> Any:
    """Calls a function of a module by its name in a new interpreter. AssertionError says why it failed."""
    words = [sys.executable, "-m", "faults.apart", function.__module__, function.__name__, *arguments]
    run = subprocess.run(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert run.returncode == 0, f"{function.__name__}: exit {run.returncode}: {run.stderr[-800:]}"
    return json.loads(run.stdout)


def main() -> None:
    module, name, *arguments = sys.argv[1:]
    print(json.dumps(getattr(importlib.import_module(module), name)(*arguments)))


if __name__ == "__main__":
    main()

"""FZ: the parsers of what hosts send, fed with invented input (tests/fuzz), and how much of them that reaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from faults.apart import ROOT
from faults.lab import Lab

PARSERS: Final = (
    "poller/probe/report.py", "poller/probe/bounds.py", "poller/probe/envelope.py", "poller/ssh/frame.py",
    "remote_probe/seal.py",
)  # fmt: skip


def fuzzed(lab: Lab) -> str:
    most, least = lab.size(short=8, full=800), lab.size(short=85.0, full=96.0)
    data, told = lab.folder("coverage") / "data", lab.folder("coverage") / "told.json"
    coverage = [sys.executable, "-m", "coverage"]
    files = ",".join(str(ROOT / name) for name in PARSERS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def call(*words: str) -> str:
        run = subprocess.run(
            [*coverage, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1500, check=False
        )
        assert run.returncode == 0, (run.stdout + run.stderr)[-1500:]
        return run.stdout

    tried, grown = call(
        "run", "--branch", f"--data-file={data}", f"--include={files}", "-m", "tests.fuzz", str(most)
    ).split()
    call("json", f"--data-file={data}", "-o", str(told), "-q")
    totals = json.loads(told.read_text())["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    assert lines >= least, f"{tried} examples reach {lines:.1f} % of the lines, less than {least} %"
    # Most of it is what hypothesis keeps for its texts; a parser that kept 15 KB of each example would be seen.
    assert int(grown) < 150, f"{grown} MiB more"
    return f"{tried} examples, line coverage {lines:.1f} %, branches {branches:.1f} %, {grown} MiB more"

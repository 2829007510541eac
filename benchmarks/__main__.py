"""`make bench`: runs every claim and prints the table; `make bench RUNS=9` for steadier medians."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks import polls, probe, shell
from benchmarks.fleet import fleet


def main() -> int:
    runs = int(os.environ.get("RUNS", "5"))
    cores = os.cpu_count()
    print(
        f"Python {platform.python_version()}, paramiko {version('paramiko')}, {cores} cores, Linux {platform.release()}"
    )
    print("figures are min / median / max; a claim holds when the median of its ratios does\n")
    print("| claim | measured | median | at most | |")
    print("|---|---|---|---|---|")
    broken = 0
    with tempfile.TemporaryDirectory(prefix="poller-bench-") as folder, fleet(Path(folder)) as hosts:
        for row in (*probe.rows(runs), *shell.rows(hosts, runs), *polls.rows(hosts, runs)):
            broken += not row.held
            verdict = "held" if row.held else "NOT held"
            bound = f"{row.median:.3g} {row.unit} | {row.target:.3g} {row.unit}"
            print(f"| {row.claim} | {row.figures} | {bound} | {verdict} |", flush=True)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())

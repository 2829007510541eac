"""`make bench`: runs every claim and prints the table; `make bench RUNS=9` for steadier medians.

`python -m benchmarks --write FILE` writes what it prints into a file, too (benchmarks/RESULTS.md is one).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks import archive, judging, polls, probe, shell
from benchmarks.fleet import fleet
from benchmarks.peers import Peers, install


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "5")))
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    held = _measure(options.runs, say)
    if options.write:
        options.write.write_text("# Results of one run of `make bench`\n\n" + "".join(f"{line}\n" for line in lines))
    return 0 if held else 1


def _measure(runs: int, say: Callable[[str], None]) -> bool:
    programs = install()
    held = True
    with tempfile.TemporaryDirectory(prefix="poller-bench-") as folder, fleet(Path(folder)) as hosts:
        peers = Peers(hosts, programs)
        say(f"Python {platform.python_version()}, paramiko {version('paramiko')}, "
            f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}; "
            f"the peers' environment: {peers.versions()}.")  # fmt: skip
        say(f"Figures are min / median / max of {runs} runs; a claim holds when the median of its ratios does.\n")
        peers.prove()
        say("| claim | measured | median | at most | |")
        say("|---|---|---|---|---|")
        for row in (
            *probe.rows(runs),
            *shell.rows(hosts, runs),
            *polls.rows(hosts, peers, runs),
            *judging.rows(runs),
            *archive.rows(runs),
        ):
            held = held and row.held
            bound = f"{row.median:.3g} {row.unit} | {row.target:.3g} {row.unit}"
            say(f"| {row.claim} | {row.figures} | {bound} | {'held' if row.held else 'NOT held'} |")
    return held


if __name__ == "__main__":
    sys.exit(main())

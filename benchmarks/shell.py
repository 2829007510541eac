"""What a person waits for at the shell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fleet import Fleet
from benchmarks.measure import Row, cost, spread


def rows(fleet: Fleet, runs: int) -> Iterator[Row]:
    """`poller run --host X` after an earlier poll, and `poller --help`; wall clock."""
    poller = str(Path(sys.executable).with_name("poller"))
    one, environment = fleet.config(3), fleet.environment()
    run = [poller, "--config", str(one), "run", "--host", "h2"]
    cost(run, environment=environment)
    polls, helps = [], []
    for _ in range(runs):
        helps += [cost([poller, "--help"], environment=environment).wall for _ in range(8)]
        cost([sys.executable, "-c", "import time; time.sleep(2.2)"])  # rates need two seconds between readings
        polls.append(cost(run, environment=environment).wall)
    yield Row("poller run --host X, from the shell", f"seconds: {spread(polls)}", tuple(polls), 1.0, "s")
    yield Row("poller --help", f"seconds: {spread(helps)}", tuple(helps), 0.15, "s")

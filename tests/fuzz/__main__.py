"""Runs every property with as many examples as the first argument says.

Prints how many were tried in all, and by how many MiB the process has grown when hypothesis has forgotten them.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings


def examples(run: Callable[[], Any], most: int) -> int:
    """How many examples hypothesis made of a property. Raises what the property raised."""
    count = [0]
    inner = run.hypothesis.inner_test  # type: ignore[attr-defined]  # what @given wraps

    def counting(*arguments: Any, **named: Any) -> None:
        count[0] += 1
        inner(*arguments, **named)

    run.hypothesis.inner_test = counting  # type: ignore[attr-defined]
    settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))(run)()
    return count[0]


def resident() -> int:
    """KiB in use, without what the allocator keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmRSS"))


def main() -> None:
    from tests.fuzz import envelope, frame, report

    most = int(sys.argv[1])
    total = 0
    before = resident()
    for module in (report, frame, envelope):
        for run in module.PROPERTIES:
            start = time.process_time()
            tried = examples(run, max(most // 8, 3) if run in module.COSTLY else most)
            print(f"{tried:8} {time.process_time() - start:7.2f} s  {module.__name__}.{run.__name__}", file=sys.stderr)
            total += tried
    print(total, (resident() - before) // 1024)


if __name__ == "__main__":
    main()

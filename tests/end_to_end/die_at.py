"""Runs the poller and dies, as if by kill -9, at the n-th SQL statement or mail command.

    python -m tests.end_to_end.die_at N poller-arguments...

Exit code 9 when it died; else the poller's own. The number of things that would have been reached stands on stderr.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import sys
from typing import Any

COUNTER = itertools.count(1)


def main() -> None:
    last = int(sys.argv[1])
    reached = [0]

    def step(*ignored: Any) -> None:
        reached[0] = next(COUNTER)
        if reached[0] == last:
            os._exit(9)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*arguments, **options)
        connection.set_trace_callback(step)
        return connection

    original = sqlite3.connect
    sqlite3.connect = connect  # type: ignore[assignment]
    sys.addaudithook(lambda event, ignored: step() if event == "smtplib.send" else None)
    from poller.cli import main as poller

    try:
        poller(sys.argv[2:])
    finally:
        print(f"reached {reached[0]}", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Runs the poller and dies, as if by kill -9, at the n-th SQL statement, mail command, HTTP request or start of a
program.

    python -m tests.end_to_end.die_at N poller-arguments...

Exit code 9 when it died; else the poller's own. The number of things that would have been reached stands on stderr, and
before it the numbers of those by which people are told.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import sys
from typing import Any

COUNTER = itertools.count(1)
# As Python's audit hooks name them.
SENDING = ("smtplib.send", "http.client.send", "subprocess.Popen")


def main() -> None:
    last = int(sys.argv[1])
    reached = [0]
    told: list[int] = []

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

    def audit(event: str, ignored: Any) -> None:
        if event in SENDING:
            told.append(reached[0] + 1)
            step()

    sys.addaudithook(audit)
    from poller.cli import main as poller

    try:
        poller(sys.argv[2:])
    finally:
        print(f"told at {told}, reached {reached[0]}", file=sys.stderr)


if __name__ == "__main__":
    main()

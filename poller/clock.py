"""The centre's wall clock. What must not depend on its steps uses `poller.model.Deadline` instead."""

import time


def now_ms() -> int:
    """UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000

"""A value of the Prometheus text format -> a number."""

from __future__ import annotations

import math
import re
from typing import Final

_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?", re.ASCII)
_LONGEST: Final = 400  # characters; the largest number there is has 309 digits


def parse_value(text: str) -> float | None:
    """None of NaN, of an infinite value, and of what is no number."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None

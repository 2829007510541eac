"""Performance data of a monitoring plugin -> numbers in base units.

    'label'=value[UOM];[warn];[crit];[min];[max]

separated by spaces (Monitoring Plugins Development Guidelines, "Performance data"). A quote inside a quoted label is
written twice. What does not fit is skipped: a plugin's mistake in one number takes no other with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

_ITEM: Final = re.compile(r"(?<!\S)(?:'((?:[^'=]|'')+)'|([^\s'=]+))=(\S*)")
_VALUE: Final = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)([^\d\s;]*)(?:;.*)?", re.ASCII)
_LONGEST: Final = 64  # characters of a number

# Bytes by 1,024 as the plugins themselves count, whatever the letters say; what is not here stays as it is.
_UNITS: Final = {
    "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9,
    "b": 1.0, "kb": 2.0**10, "mb": 2.0**20, "gb": 2.0**30, "tb": 2.0**40, "pb": 2.0**50,
    "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40, "pib": 2.0**50,
}  # fmt: skip


def parse(text: str) -> Iterator[tuple[str, float]]:
    """(label, value in seconds, bytes, percent or what the plugin counts); `U`, unknown, is left out. Never raises.

    Of two items with one label, both.
    """
    for item in _ITEM.finditer(text):
        label = item[1].replace("''", "'").strip() if item[1] else item[2]
        value = _number(item[3])
        if label and value is not None:
            yield label, value


def _number(text: str) -> float | None:
    fit = _VALUE.fullmatch(text)
    if fit is None or len(fit[1]) > _LONGEST:
        return None
    value = float(fit[1]) * _UNITS.get(fit[2] if fit[2] in ("s", "ms") else fit[2].lower(), 1.0)
    return value if math.isfinite(value) else None

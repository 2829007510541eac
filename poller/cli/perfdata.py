"""Performance data of a monitoring plugin: numbers that the other system may draw.

Monitoring Plugins Development Guidelines, "Performance data":
`'label'=value[UOM];[warn];[crit];[min];[max]`, separated by blanks, without exponents.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from poller.cli.foreign import one_line
from poller.cli.range import Range
from poller.cli.table import plain

# Base unit of the catalogue -> UOM. There is none for a rate, and `c` is for counters that only grow.
_UOM: Final = {"percent": "%", "seconds": "s", "bytes": "B"}
_BARE: Final = re.compile(r"[\w./:-]+")
# A label must not have the first, and the second ends the text of a plugin wherever it stands.
_FORBIDDEN: Final = {ord("="): "\\x3d", ord("|"): "\\x7c"}


@dataclass(frozen=True, slots=True)
class PerfDatum:
    """One number. `unit` is the catalogue's; `least` and `most` bound what the value can be at all."""

    label: str
    value: float
    unit: str = ""
    warning: Range | None = None
    critical: Range | None = None
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        ranges = ("" if one is None else str(one) for one in (self.warning, self.critical))
        bounds = ("" if one is None else _number(one) for one in (self.least, self.most))
        # U: "the actual value couldn't be determined"
        value = _number(self.value) + _UOM.get(self.unit, "") if math.isfinite(self.value) else "U"
        return ";".join((f"{quoted(self.label)}={value}", *ranges, *bounds)).rstrip(";")


def quoted(label: str) -> str:
    """A label as the guidelines want it: in quotes unless it is a plain word, a quote in it written twice."""
    shown = one_line(label).translate(_FORBIDDEN) or "-"
    return shown if _BARE.fullmatch(shown) else "'" + shown.replace("'", "''") + "'"


def shown(data: Iterable[PerfDatum]) -> str:
    return " ".join(map(str, data))


def _number(value: float) -> str:
    """At most six places: nobody draws more, and a ratio would have sixteen."""
    return plain(round(value, 6))

"""A range as monitoring plugins take it: which values of a number are a reason to raise an alert.

Monitoring Plugins Development Guidelines, "Threshold and Ranges": `[@]start:end`. Outside of it (both ends belong to
it) there is an alert; with `@` inside of it. `start:` may be left out when it is 0, `~` is minus infinity, and an
`end` left out is infinity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from poller.cli.table import plain
from poller.errors import UsageError

_NUMBER: Final = r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
_RANGE: Final = re.compile(rf"(?P<inside>@?)(?:(?P<low>~|{_NUMBER})?(?P<colon>:))?(?P<high>{_NUMBER})?")


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both ends included; infinite where there is none. `inside`: alert for what is in it."""

    low: float = 0.0
    high: float = math.inf
    inside: bool = False

    @classmethod
    def parse(cls, text: str) -> Range:
        """Reads `10`, `10:`, `~:10`, `10:20` or `@10:20`; UsageError for anything else."""
        match = _RANGE.fullmatch(text)
        if match is None or not (match["colon"] or match["high"]):
            raise UsageError(f"{text!r} is no range", "write 10, 10:, ~:10, 10:20 or @10:20")
        low = -math.inf if match["low"] == "~" else float(match["low"] or 0)
        high = math.inf if match["high"] is None else float(match["high"])
        if low > high:
            raise UsageError(f"{text!r} is no range: it ends before it begins", f"write {match['inside']}start:end")
        return cls(low, high, bool(match["inside"]))

    def alerts(self, value: float) -> bool:
        """Whether this value is a reason to raise an alert. What is no number always is, unless it had to be inside."""
        return (self.low <= value <= self.high) is self.inside

    def why(self, value: float, say: Callable[[float], str]) -> str:
        """How an alerting value stands to it: `> 90`, `< 10`, `in 10 to 20`. `say` writes a number for people."""
        if self.inside:
            return f"in {self.explained(say)}"
        return f"< {say(self.low)}" if value < self.low else f"> {say(self.high)}"

    def explained(self, say: Callable[[float], str]) -> str:
        """The range itself in words: `10 to 20`, `10 and more`, `up to 10`, `any number`."""
        if math.isinf(self.low):
            return "any number" if math.isinf(self.high) else f"up to {say(self.high)}"
        return f"{say(self.low)} and more" if math.isinf(self.high) else f"{say(self.low)} to {say(self.high)}"

    def __str__(self) -> str:
        """As it is written, the shortest way: what `parse` reads as the same range."""
        mark = "@" if self.inside else ""
        high = "" if math.isinf(self.high) else plain(self.high)
        if self.low == 0 and high:
            return mark + high
        return f"{mark}{'~' if math.isinf(self.low) else plain(self.low)}:{high}"

"""Numbers by time as a row of blocks, and shares as bars; in ASCII where the terminal has no blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final, TextIO

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII: Final = "_.-~=+*#"
_GAP: Final = " "


def can_draw(stream: TextIO) -> bool:
    """Whether the terminal's encoding has block characters."""
    try:
        _BLOCKS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def sparkline(
    points: Sequence[tuple[int, float]], since_ms: int, until_ms: int, width: int, *, blocks: bool, top: float = 0.0
) -> str:
    """One character for each part of the time: the mean of its values between 0 (or the least) and the greatest.

    A part without values is a blank; `top` is what the highest block stands for at least. A row never has more parts
    than there can be values, so that a blank is a gap and not a slow rhythm.
    """
    parts = _parts(points, since_ms, until_ms, width)
    if not points or not parts:
        return _GAP * parts
    low = min(0.0, *(value for _, value in points))
    high = max(top, *(value for _, value in points))
    return "".join(_level(part, low, high, blocks=blocks) for part in _means(points, since_ms, until_ms, parts))


def _parts(points: Sequence[tuple[int, float]], since_ms: int, until_ms: int, width: int) -> int:
    """At most `width`, each at least 1.5 times as long as values usually are apart."""
    if len(points) < 2:
        return min(width, 1)
    usual = median(after[0] - before[0] for before, after in pairwise(points))
    return max(1, min(width, int((until_ms - since_ms) / (1.5 * max(usual, 1)))))


def _means(points: Sequence[tuple[int, float]], since_ms: int, until_ms: int, parts: int) -> list[float | None]:
    sums, counts = [0.0] * parts, [0] * parts
    for at_ms, value in points:
        place = min(parts - 1, max(0, (at_ms - since_ms) * parts // max(1, until_ms - since_ms)))
        sums[place] += value
        counts[place] += 1
    return [total / count if count else None for total, count in zip(sums, counts, strict=True)]


def _level(value: float | None, low: float, high: float, *, blocks: bool) -> str:
    if value is None:
        return _GAP
    signs = _BLOCKS if blocks else _ASCII
    share = (value - low) / (high - low) if high > low else 0.0
    return signs[min(len(signs) - 1, int(share * len(signs)))]


def bar(percent: float, width: int, *, blocks: bool) -> str:
    """A share from 0 to 100 as so many cells."""
    full = round(min(max(percent, 0.0), 100.0) * width / 100)
    return ("█" if blocks else "#") * full + ("░" if blocks else ".") * (width - full)

"""When a series reaches a limit: a robust line through the last hours. Pure.

Slope: the median of the slopes of all pairs of points (Theil 1950, Sen 1968, "Estimates of the regression coefficient
based on Kendall's tau"), which up to 29 % of wild points do not move:

    slope = median over i < j of (y[j] - y[i]) / (t[j] - t[i])

It counts only if the trend is none that chance makes (Mann 1945, Kendall 1975): with S the number of pairs that rise
less those that fall, n points, and no correction for ties (which only makes it more careful),

    z = (|S| - 1) / sqrt(n (n - 1) (2 n + 5) / 18)  must be over 1.96 (5 %, two-sided)

Level: the median of y - slope * (t - now) over the newest five points, so that what was freed a moment ago counts as
soon as three polls saw it. What is expected at `now + seconds` is level + slope * seconds.

More than MOST points are thinned first: time is cut into MOST equal spans, each gives the medians of its points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Final

MOST: Final = 60
FEWEST: Final = 6
_NEWEST: Final = 5
_CERTAIN: Final = 1.96
_LEAST_BACK: Final = 3600.0
_MOST_BACK: Final = 86400.0

Points = Sequence[tuple[int, float]]


def lookback(within: float) -> float:
    """So many seconds of the past are looked at: a quarter of the time ahead, at least an hour, at most a day."""
    return min(_MOST_BACK, max(_LEAST_BACK, within / 4))


def reaches(points: Points, now_ms: int, limit: float, within: float, *, above: bool) -> bool | None:
    """Whether the line passes the limit within so many seconds, or the newest point did already.

    `points` are (instant, value), oldest first, of the last `lookback(within)` seconds. None, unknown, when there are
    fewer than FEWEST or they span less than half of that time: also of what is at its limit already, since nobody could
    tell then when that is over.
    """
    if not above:
        points, limit = [(at_ms, -value) for at_ms, value in points], -limit
    thin = thinned(points)
    if len(thin) < FEWEST or points[-1][0] - points[0][0] < 500 * lookback(within):
        return None
    if points[-1][1] >= limit:
        return True
    if not _could(thin, limit, within):
        return False
    slope = trend(thin)
    return slope > 0 and level(points, now_ms, slope) + slope * within >= limit


def seconds_left(points: Points, now_ms: int, limit: float) -> float | None:
    """Until the line is at the limit; None when it does not go there."""
    thin = thinned(points)
    slope = trend(thin) if len(thin) >= FEWEST else 0.0
    if not slope:
        return None
    left = (limit - level(points, now_ms, slope)) / slope
    return left if left >= 0 else None


def trend(points: Points) -> float:
    """Change per second; 0 where there is none but what chance makes. For at most MOST points."""
    slopes = []
    for index, (at_ms, value) in enumerate(points):
        for later_ms, later in points[index + 1 :]:
            slopes.append((later - value) / (later_ms - at_ms))
    rises = sum(slope > 0 for slope in slopes) - sum(slope < 0 for slope in slopes)
    count = len(points)
    if abs(rises) - 1 <= _CERTAIN * sqrt(count * (count - 1) * (2 * count + 5) / 18):
        return 0.0
    return 1000 * median(slopes)


def level(points: Points, now_ms: int, slope: float) -> float:
    """What the line gives for now."""
    return median(value - slope * (at_ms - now_ms) / 1000 for at_ms, value in points[-_NEWEST:])


def thinned(points: Points) -> Points:
    """At most MOST points, one for each instant, that show the same line."""
    if len(points) <= MOST:
        return [point for index, point in enumerate(points) if not index or point[0] > points[index - 1][0]]
    begin_ms = points[0][0]
    width = (points[-1][0] - begin_ms) / MOST + 1
    spans: dict[int, list[tuple[int, float]]] = {}
    for point in points:
        spans.setdefault(int((point[0] - begin_ms) / width), []).append(point)
    return [(round(median(at for at, _ in group)), median(value for _, value in group)) for group in spans.values()]


def _could(points: Points, limit: float, within: float) -> bool:
    """Cheap: no slope of two points is steeper than the steepest between neighbours."""
    steepest = max((later - value) / (later_ms - at_ms) for (at_ms, value), (later_ms, later) in pairwise(points))
    highest = max(value for _, value in points[-_NEWEST:])
    return steepest > 0 and highest + 1000 * steepest * (within + (points[-1][0] - points[0][0]) / 1000) >= limit

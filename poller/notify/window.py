"""Windows of time by a clock on the wall: the hours of a contact, and downtimes. Pure; zones are those of IANA.

A minute is inside when that clock shows it. So hours that daylight saving leaves out do not happen, a window that
begins among them begins as soon as the clock has jumped over them, and hours that come twice count both times.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from poller.model import Downtime, Host, Hours

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def covers(hours: Hours, at_ms: int) -> bool:
    """Whether the clock of `hours.zone` shows a minute of them. Raises KeyError for a zone that is none."""
    local = _local(hours, at_ms)
    day, minute = local.weekday(), local.hour * 60 + local.minute
    if hours.end > hours.begin:
        return day in hours.days and hours.begin <= minute < hours.end
    yesterday = (day - 1) % 7
    return (day in hours.days and minute >= hours.begin) or (yesterday in hours.days and minute < hours.end)


def in_downtime(downtimes: Sequence[Downtime], host: Host, at_ms: int) -> Downtime | None:
    """The first downtime that the host is in."""
    return next((one for one in downtimes if _lasts(one, at_ms) and _means(one, host)), None)


def _lasts(downtime: Downtime, at_ms: int) -> bool:
    if downtime.hours is not None:
        return covers(downtime.hours, at_ms)
    return downtime.from_ms <= at_ms < downtime.until_ms


def _means(downtime: Downtime, host: Host) -> bool:
    if not (downtime.hosts or downtime.groups or downtime.tags):
        return True
    return (
        any(fnmatchcase(host.name, glob) for glob in downtime.hosts)
        or (bool(host.group) and host.group in downtime.groups)
        or not host.tags.isdisjoint(downtime.tags)
    )


def _local(hours: Hours, at_ms: int) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(_zone(hours.zone))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

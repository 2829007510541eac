"""What was last known of a host: for how long that counts, whether only its gateway is to blame, its newest numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from poller.metrics import CATALOGUE
from poller.model import MetricValue

if TYPE_CHECKING:
    from poller.model import Config, Host
    from poller.store.views import HostStatus


def bound_ms(host: Host, section: str = "") -> int:
    """Two intervals and a deadline. Of a section that is read less often: two of its periods."""
    period = max(host.poll.interval, host.watch.period(section) if section else 0.0)
    return round((2 * min(period, 365 * 86400.0) + host.poll.deadline) * 1000)


def known_ms(host: Host, seen: HostStatus) -> int | None:
    """When something was last learned of it: its newest report, or the newest poll of what gives none."""
    return seen.at_ms if host.via == "ping" else seen.report_ms


def too_old(at_ms: int | None, now: int, bound: int) -> bool:
    """One from the future was taken while this machine's clock was wrong: nobody knows how old it is."""
    return abs(now - (at_ms or 0)) > bound


def blamed(config: Config, host: Host, seen: Mapping[str, HostStatus]) -> str:
    """The gateway (`parent=`, or the farthest of those before it) that does not answer either; "" when none."""
    passed: set[str] = set()
    cause, parent = "", host.parent
    while parent and parent not in passed and parent in seen and seen[parent].outcome == "failed":
        passed.add(parent)
        cause = parent
        before = config.host(parent)
        parent = before.parent if before else ""
    return cause


def newest(journal: Path, host: str, name: str, since_ms: int, until_ms: int) -> tuple[MetricValue, ...]:
    """Those of the newest instant at which there was any, by label; none when that was before `since_ms`.

    Also works for what is no sample: host.down, poll.seconds. UsageError for metrics whose values are not kept.
    """
    from poller.store import chart

    label = CATALOGUE[name].label
    courses = [course for course in chart.history(journal, host, name, since_ms, until_ms, "raw") if course.points]
    last_ms = max((course.points[-1][0] for course in courses), default=0)
    return tuple(
        MetricValue(name, course.points[-1][1], ((label, course.label),) if label else ())
        for course in courses
        if course.points[-1][0] == last_ms
    )

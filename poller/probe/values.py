"""A poll and what is remembered from before -> every number of the catalogue that this poll gives.

Gauges come from the newest reading, rates from two. `host.down` is not here: it is there without a report, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from poller.model import Before, MetricValue, Ping, Poll
from poller.probe.gauges import gauges
from poller.probe.rates import rates


def values(before: Before, poll: Poll) -> tuple[MetricValue, ...]:
    """Everything this poll tells; absent numbers are left out. One without a report gives its seconds, and a ping."""
    found = [MetricValue("poll.seconds", poll.seconds)]
    if poll.ping is not None:
        found += _ping(poll.ping)
    if poll.report is None:
        return tuple(found)
    now = poll.report.now
    found.append(MetricValue("uptime.seconds", now.uptime))
    if poll.answered_ms:
        middle = (poll.asked_ms + poll.answered_ms) / 2000
        found.append(MetricValue("clock.offset_seconds", now.clock - middle))
    found += gauges(now)
    found += rates(before, poll.report.readings)
    return tuple(found)


def _ping(ping: Ping) -> Iterator[MetricValue]:
    yield MetricValue("ping.loss_percent", ping.loss_percent)
    if ping.seconds is not None:
        yield MetricValue("ping.seconds", ping.seconds)

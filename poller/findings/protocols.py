"""Two readings of the kernel's counters of TCP and UDP -> what they counted per second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from poller.findings.remembered import earlier, section_of
from poller.model import MetricValue, Protocols, Reading, Watch
from poller.probe.window import OLDEST, YOUNGEST

_COUNTERS: Final = {
    "tcp.opens_per_second": ("active_opens", "passive_opens"),
    "tcp.attempt_fails_per_second": ("attempt_fails",),
    "tcp.resets_per_second": ("resets",),
    "tcp.retransmits_per_second": ("retransmits",),
    "tcp.syncookies_per_second": ("syncookies",),
    "tcp.listen_overflows_per_second": ("listen_overflows",),
    "tcp.listen_drops_per_second": ("listen_drops",),
    "udp.no_ports_per_second": ("udp_no_ports",),
    "udp.in_errors_per_second": ("udp_in_errors",),
}


def protocols(before: Reading | None, now: Reading, watch: Watch) -> Iterator[MetricValue]:
    """The numbers `tcp.*_per_second` and `udp.*_per_second`; none for a counter that went back."""
    found, section = earlier(before, now, "traffic"), section_of(now, "traffic")
    if found is None or section is None:
        return
    oldest = max(OLDEST, 2 * watch.period("traffic"))  # one that is read seldom has no second reading
    was = next((row for row in found[0].rows if isinstance(row, Protocols)), None)
    row = next((row for row in section.rows if isinstance(row, Protocols)), None)
    if was is None or row is None or not YOUNGEST <= found[1] <= oldest:
        return
    for metric, names in _COUNTERS.items():
        counted = [getattr(row, name) - getattr(was, name) for name in names]
        if min(counted) >= 0:
            yield MetricValue(metric, sum(counted) / found[1])

"""V4: how late the healthy hosts were in the rounds of a site, from what the journal says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from poller.schedule import stagger

if TYPE_CHECKING:
    from faults.site import LabSite

# Seconds: the share of an interval of a minute that V4 allows is more.
MOST: Final = 1.0
# A machine that is busy with something else begins late without any fault; with it, it may be hardly later.
SLACK: Final = 1.25
_POLLS: Final = """
SELECT host.name, round.started_ms, round.hosts, poll.at_ms, poll.seconds, poll.outcome
  FROM poll JOIN host ON host.id = poll.host_id JOIN round ON round.id = poll.round_id
"""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds, 95th percentile: from the planned moment to the start of the poll, and to its end."""

    started: float
    ended: float
    polls: int


def lateness(site: LabSite, without: Collection[str] = (), rounds: int = 0) -> Lateness:
    """Of all hosts but those in `without`, which must all have answered; of the last so many rounds, 0 for all."""
    rows = site.rows(_POLLS + (
        f"WHERE round.id IN (SELECT id FROM round ORDER BY started_ms DESC LIMIT {rounds})" if rounds else ""
    ))  # fmt: skip
    healthy = [row for row in rows if row[0] not in without]
    failed = {row[0]: row[5] for row in healthy if row[5] not in ("ok", "partial")}
    assert not failed, f"V4: healthy hosts failed: {failed}"
    started = [(at - begun) / 1000 - stagger(name, hosts) for name, begun, hosts, at, _, _ in healthy]
    ended = [one + row[4] for one, row in zip(started, healthy, strict=True)]
    return Lateness(percentile(started), percentile(ended), len(healthy))


def percentile(values: list[float], share: float = 0.95) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def undisturbed(now: Lateness, before: Lateness) -> str:
    """AssertionError unless hosts were asked on time, and had answered not much later than without the fault."""
    bound = max(MOST, SLACK * before.started)
    assert now.started <= bound, f"V4: polls of healthy hosts began {now.started:.2f} s late, {bound:.2f} are allowed"
    later = now.ended - before.ended
    assert later <= max(MOST, before.ended), f"V4: healthy hosts answered {later:.2f} s later than without the fault"
    began = f"{now.started:.2f} s late ({before.started:.2f} without)"
    return f"{now.polls} healthy polls began p95 {began}, answered {later:+.2f} s"

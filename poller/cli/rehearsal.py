"""Polls of the past once more: through the rules of today, as if they had been there then. Nothing is stored.

Pure but for what `worlds` reads: verdicts are compared with what the polls before them left, as intake does it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from poller.alerts import compare, periods
from poller.alerts.flap import POLLS
from poller.model import AlertMemory, AnyRule, Comparison, Host, Verdict, World
from poller.rules import judge
from poller.store import gaps


@dataclass(frozen=True, slots=True)
class Turn:
    """One poll: what there was to be seen, what the rules made of it, and what that changed."""

    world: World
    verdicts: tuple[Verdict, ...]
    comparison: Comparison


def rehearse(host: Host, rules: Sequence[AnyRule], worlds: Iterable[World]) -> Iterator[Turn]:
    """Each poll in turn, oldest first, beginning with no memory at all."""
    ids = itertools.count(1)
    slowest = periods(host, rules)
    memory = AlertMemory()
    instants: list[int] = []
    for world in worlds:
        verdicts = judge(rules, world)
        comparison = compare(
            host.name, verdicts, memory, rules, world.now_ms, lambda: f"rehearsed-{next(ids)}", slowest
        )
        instants.append(world.now_ms)
        memory = AlertMemory(comparison.states, comparison.open, comparison.flaps, gaps.between(instants))
        yield Turn(world, verdicts, comparison)


def lead_ms(rules: Sequence[AnyRule], gap_ms: int) -> int:
    """So long before an instant a rehearsal must begin to know what is pending, firing or flapping then."""
    longest = max((max(1000 * rule.hold.seconds, gap_ms * rule.hold.polls) for rule in rules), default=0)
    return int(2 * longest + 2 * POLLS * gap_ms)

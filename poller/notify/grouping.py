"""When one message has collected enough: a contact is told after `wait` seconds, and not again within `interval`.

Pure. In a `poller run` both are 0: the round is the group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from poller.notify.gate import ENDS, Act, Chain, Decision

SHORT: Final = "short"


@dataclass(frozen=True, slots=True)
class Grouping:
    """`wait` and `interval` are seconds, `last_sent` says when each contact got its newest message."""

    wait: float = 0.0
    interval: float = 0.0
    last_sent: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def collects(self) -> bool:
        return self.wait > 0 or self.interval > 0


def grouped(chains: Sequence[Chain], grouping: Grouping, now_ms: int) -> list[Chain]:
    """The decisions about ONE contact. What was over before its group was due is suppressed as `short`, and what goes
    waits until then. A clock that was set back makes nobody wait.
    """
    if not grouping.collects:
        return list(chains)
    begins = [at for chain in chains for at in _going(chain)]
    if not begins:
        return list(chains)
    recipient = chains[0][0].pending.notification.recipient
    due_ms = min(begins) + round(grouping.wait * 1000)
    last_ms = grouping.last_sent.get(recipient)
    if last_ms is not None and last_ms <= now_ms:
        due_ms = max(due_ms, last_ms + round(grouping.interval * 1000))
    told = [_without_short(chain, due_ms) for chain in chains]
    if now_ms >= due_ms or min(begins) > now_ms:
        return told
    return [[_waiting(decision) for decision in chain] for chain in told]


def _going(chain: Chain) -> list[int]:
    return [decision.pending.notification.at_ms for decision in chain if decision.act is Act.SEND]


def _waiting(decision: Decision) -> Decision:
    return replace(decision, act=Act.WAIT, why="group") if decision.act is Act.SEND else decision


def _without_short(chain: Chain, due_ms: int) -> Chain:
    """One that was tried was due: it is the server that is late, and problem and end are told."""
    going = [decision.pending for decision in chain if decision.act is Act.SEND]
    if not going or going[0].told or going[-1].notification.kind not in ENDS:
        return chain
    began_ms, ended_ms = going[0].notification.at_ms, going[-1].notification.at_ms
    tried = any(one.notification.attempts for one in going)
    if tried or not began_ms <= ended_ms < due_ms:
        return chain
    return [replace(one, act=Act.SUPPRESS, why=SHORT) if one.act is Act.SEND else one for one in chain]

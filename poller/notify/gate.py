"""What may be sent now, and why not: the notifications of one alert to one recipient, decided together and in order.

| notification | alert still open                                    | alert over                                      |
|--------------|-----------------------------------------------------|-------------------------------------------------|
| news of it   | sent; held while blocked                            | sent when it is only late, and its end follows; |
|              |                                                     | suppressed when it is, or was, blocked          |
| fell         | as news, if the problem was told                    | the same                                        |
| reminder     | sent; held while blocked, waits while it is         | suppressed                                      |
|              | suspended; suppressed when acknowledged, flapping   |                                                 |
|              | or older than other news                            |                                                 |
| escalated    | as a reminder, but news to who was not told before  | suppressed, but when it is only late            |
| the end      |                                                     | sent if the problem was, or is sent with it;    |
|              |                                                     | only the hours of the contact hold it back      |

Blocked is what a silence, a downtime or the hours of the contact keep back. What a quota kept back comes as a digest,
over or not. Pure: nothing here knows of channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from poller.model import ChangeKind, Config, Pending, Silence
from poller.notify.block import HOURS, blocked, off_duty
from poller.notify.quiet import FLAPPING

ENDS: Final = frozenset({ChangeKind.CLOSED, ChangeKind.UNCONFIGURED})
_NUDGES: Final = frozenset({ChangeKind.REMINDER, ChangeKind.ESCALATED})
# No news to who does not know of the problem.
_MINOR: Final = frozenset({ChangeKind.FELL, ChangeKind.REMINDER})
_QUOTA: Final = "quota "


class Act(Enum):
    """What becomes of a notification in this pass."""

    SEND = "send"
    DIGEST = "digest"  # sent, too: together with all else that a quota kept back
    WAIT = "wait"  # stays as it is
    HOLD = "hold"
    SUPPRESS = "suppress"


@dataclass(frozen=True, slots=True)
class Decision:
    """One notification, what becomes of it now, and the reason."""

    pending: Pending
    act: Act
    why: str = ""

    @property
    def goes(self) -> bool:
        return self.act in (Act.SEND, Act.DIGEST)


Chain = list[Decision]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides beside the notification itself: `silences` in force, and why alerts are `quiet`, by id."""

    config: Config
    now_ms: int
    silences: Sequence[Silence] = ()
    quiet: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def decide(pending: Sequence[Pending], circumstances: Circumstances) -> list[Chain]:
    """One decision for each, in chains: those of one alert and recipient, in the order in which they must arrive."""
    chains: dict[tuple[str, str], list[Pending]] = {}
    for one in pending:
        chains.setdefault((one.notification.alert.id, one.notification.recipient), []).append(one)
    return [_chain(sorted(chain, key=_number), circumstances) for chain in chains.values()]


def kept_by_quota(one: Pending) -> bool:
    return one.held.startswith(_QUOTA)


def quota_reason(channel: str) -> str:
    return _QUOTA + channel


def _number(one: Pending) -> int:
    return one.notification.number


def _chain(chain: list[Pending], circumstances: Circumstances) -> Chain:
    first = chain[0].notification
    contact = circumstances.config.contact(first.recipient)
    now_ms = circumstances.now_ms
    link = _Link(
        block=blocked(first.alert, contact, circumstances.config, circumstances.silences, now_ms),
        off_duty=off_duty(contact, now_ms),
        quiet=circumstances.quiet.get(first.alert.id, ""),
        known=any(one.told for one in chain),
    )
    decisions: Chain = []
    for place, one in enumerate(chain, 1):
        decision = link.decided(one, chain[place:])
        link.passed(decision)
        decisions.append(decision)
    return decisions


@dataclass(slots=True)
class _Link:
    """Where one stands in a chain: what holds for all of it, and what the earlier ones came to.

    `known`: the recipient knows of the problem, or is told in this pass. `kept`: why an earlier one stays behind,
    which nothing may overtake. `dropped`: why earlier news were suppressed. `digest`: an earlier one is part of one.
    """

    block: str
    off_duty: str
    quiet: str
    known: bool
    kept: str = ""
    dropped: str = ""
    digest: bool = False

    def passed(self, decision: Decision) -> None:
        if decision.goes:
            self.known = True
            self.digest = decision.act is Act.DIGEST
        elif decision.act is Act.SUPPRESS:
            self.dropped = self.dropped or decision.why
        else:
            self.kept = self.kept or decision.why

    def decided(self, one: Pending, later: Sequence[Pending]) -> Decision:
        if one.notification.kind in ENDS:
            return self._end(one)
        moot = self._moot(one, later)
        if moot:
            return Decision(one, Act.SUPPRESS, moot)
        if self.block:
            return self._held(one, self.block)
        if one.notification.kind in _NUDGES and self.quiet:
            return Decision(one, Act.WAIT, self.quiet)
        return self._in_turn(one)

    def _end(self, one: Pending) -> Decision:
        if not self.known and not self.kept:
            return Decision(one, Act.SUPPRESS, self.dropped or "untold")
        if self.off_duty:
            return self._held(one, self.off_duty)
        return self._in_turn(one)

    def _held(self, one: Pending, why: str) -> Decision:
        """What a quota kept back stays that way until the hours of the contact begin: it is for a digest."""
        if why == HOURS and kept_by_quota(one):
            return Decision(one, Act.WAIT, one.held)
        return Decision(one, Act.HOLD, why)

    def _in_turn(self, one: Pending) -> Decision:
        if self.kept:
            return Decision(one, Act.WAIT, self.kept)
        return Decision(one, Act.DIGEST if self.digest or kept_by_quota(one) else Act.SEND)

    def _moot(self, one: Pending, later: Sequence[Pending]) -> str:
        """Why there is no point in it any more; "" while there is."""
        kind = one.notification.kind
        if kind in _NUDGES:
            reason = self._nudge_moot(one, later)
            if reason:
                return reason
        if kind in _MINOR and not self.known and not self.kept:
            return self.dropped or "untold"
        return self._too_late(one, later) if one.over else ""

    def _nudge_moot(self, one: Pending, later: Sequence[Pending]) -> str:
        if one.acknowledged:
            return "acknowledged"
        if self.quiet == FLAPPING:
            return FLAPPING
        only_late = one.notification.kind is ChangeKind.ESCALATED and one.notification.attempts > 0
        if one.over and not only_late:
            return "over"
        return "newer news" if later and self.known and not one.over else ""

    def _too_late(self, one: Pending, later: Sequence[Pending]) -> str:
        """Of what is over only that is told which nothing but a server or a quota kept back, and its end with it."""
        by_quota = kept_by_quota(one)
        if self.block and not (by_quota and self.block == HOURS):
            return self.block
        if one.held and not by_quota:
            return one.held
        end_follows = any(after.notification.kind in ENDS for after in later)
        return "" if end_follows else one.held or "over"

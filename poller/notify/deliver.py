"""What is owed -> what may go now -> one message per contact -> its channels; each is marked once it was accepted.

At least once: a poller that dies between acceptance and mark sends that message again, with the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from poller.model import Channel, Config, Outbox, Pending
from poller.notify.gate import Act, Chain, Circumstances, Decision, decide
from poller.notify.grouping import Grouping, grouped
from poller.notify.postman import Errand, Outcome, Postman

_VANISHED: Final = "the contact is no longer in config.xml"
_AT_ONCE: Final = Grouping()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages accepted, contacts that have to wait for a later try, and those whose message was given up.

    `errors` says why, once per cause. `held` and `suppressed` count notifications.
    """

    sent: int = 0
    kept: int = 0
    given_up: int = 0
    errors: tuple[str, ...] = ()
    held: int = 0
    suppressed: int = 0

    def __add__(self, later: Delivery) -> Delivery:
        """Both together."""
        return Delivery(
            self.sent + later.sent,
            self.kept + later.kept,
            self.given_up + later.given_up,
            tuple(dict.fromkeys(self.errors + later.errors)),
            self.held + later.held,
            self.suppressed + later.suppressed,
        )


def deliver(
    outbox: Outbox,
    config: Config,
    channels: Mapping[str, Channel],
    now_ms: int,
    *,
    grouping: Grouping = _AT_ONCE,
    quiet: Mapping[str, str] | None = None,
) -> Delivery:
    """Sends one message per contact with everything it may be told now, oldest first; the rest is kept, with reasons.

    Never raises for a channel: what none of them takes stays in the outbox, or is given up when trying again cannot
    help. The first sign that a channel is down keeps the rest of it, so that a dead server costs one time-out and not
    one per contact. `quiet` says why alerts are not nudged about, by id. Raises StoreError when the outbox cannot be
    written.
    """
    pending = outbox.pending()
    if not pending:
        return Delivery()
    circumstances = Circumstances(config, now_ms, outbox.silences(now_ms), quiet or {})
    postman = Postman(outbox, config, channels, now_ms, patient=grouping.collects)
    total = Delivery()
    for recipient, decided in _by_recipient(decide(pending, circumstances)).items():
        chains = grouped(decided, grouping, now_ms)
        total += _recorded(outbox, chains, now_ms) + _sent(postman, config, recipient, chains)
    return total


def _by_recipient(chains: Sequence[Chain]) -> Mapping[str, list[Chain]]:
    """In the order of the oldest that each is owed."""
    parcels: dict[str, list[Chain]] = {}
    for chain in chains:
        parcels.setdefault(chain[0].pending.notification.recipient, []).append(chain)
    return parcels


def _recorded(outbox: Outbox, chains: Sequence[Chain], now_ms: int) -> Delivery:
    """Stores what is not sent now, and why, once for each reason."""
    decisions = [decision for chain in chains for decision in chain]
    for why, ids in _ids_by_reason(one for one in decisions if one.act is Act.SUPPRESS):
        outbox.suppress(ids, why, now_ms)
    for why, ids in _ids_by_reason(one for one in decisions if one.act is Act.HOLD and one.pending.held != one.why):
        outbox.hold(ids, why)
    released = [one.pending.notification.id for one in decisions if _freed(one)]
    if released:
        outbox.release(released)
    acts = [one.act for one in decisions]
    return Delivery(held=acts.count(Act.HOLD), suppressed=acts.count(Act.SUPPRESS))


def _freed(decision: Decision) -> bool:
    """Whether nothing holds it back any more; what waits for a digest does so under its reason."""
    held = decision.pending.held
    return bool(held) and (decision.act is Act.SEND or (decision.act is Act.WAIT and decision.why != held))


def _ids_by_reason(decisions: Iterable[Decision]) -> list[tuple[str, list[str]]]:
    ordered = sorted(decisions, key=lambda one: one.why)
    groups = groupby(ordered, key=lambda one: one.why)
    return [(why, [one.pending.notification.id for one in group]) for why, group in groups]


def _sent(postman: Postman, config: Config, recipient: str, chains: Sequence[Chain]) -> Delivery:
    """The digest goes first; what came after it must not overtake it."""
    total = Delivery()
    for act in (Act.DIGEST, Act.SEND):
        going = _in_order(chains, act)
        if not going:
            continue
        contact = config.contact(recipient)
        if contact is None:
            outcome = postman.give_up(going, _VANISHED)
        else:
            outcome = postman.carry(Errand(contact, going, digest=act is Act.DIGEST))
        total += _counted(recipient, outcome)
        if outcome.kept:
            break
    return total


def _in_order(chains: Sequence[Chain], act: Act) -> tuple[Pending, ...]:
    """Oldest first; of one alert in the order of their numbers, even when the clock was set back between them."""
    dated: list[tuple[int, Pending]] = []
    for chain in chains:
        newest_ms = 0
        for decision in chain:
            newest_ms = max(newest_ms, decision.pending.notification.at_ms)
            if decision.act is act:
                dated.append((newest_ms, decision.pending))
    return tuple(one for _at_ms, one in sorted(dated, key=lambda each: each[0]))


def _counted(recipient: str, outcome: Outcome) -> Delivery:
    errors = tuple(text if everybody else f"{recipient!a}: {text}" for text, everybody in outcome.errors)
    return Delivery(int(outcome.sent), int(outcome.kept), int(outcome.given_up), errors)

"""WHAT IS ONLY UNREACHABLE THROUGH ITS GATEWAY (parent=): its news is held back for as long as the gateway is away.

A host that was polled just before its gateway came back failed because of it, too. So news is released when the gateway
has answered before the newest failing poll of each host behind it began, which is mostly one round later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from poller.clock import now_ms
from poller.intake import DOWN
from poller.itself import Round
from poller.model import Config, Poll, PollOutcome
from poller.rules.outage import unreachable
from poller.store import Work

# Rows of `housekeeping`, a host name behind: the round that found a gateway away, and when it first answered since.
_AWAY: Final = "gateway away "
_BACK: Final = "gateway back "


@dataclass(frozen=True, slots=True)
class Gateways:
    """`parents`: host -> its gateway. `away` since when, and `back` since when, for those of which news is held."""

    parents: Mapping[str, str]
    away: Mapping[str, int]
    back: Mapping[str, int]

    def blamed(self, poll: Poll) -> str:
        """The nearest gateway that was away when this poll began, and may be why it failed; "" for none."""
        for name in self.above(poll.host) if unreachable(poll) else ():
            if name in self.away and poll.at_ms < self.back.get(name, poll.at_ms + 1):
                return name
        return ""

    def above(self, host: str) -> Iterator[str]:
        """Its gateway, then that of the gateway, and so on."""
        seen = {host}
        while (host := self.parents.get(host, "")) and host not in seen:
            seen.add(host)
            yield host


def settle(work: Work, config: Config, done: Round) -> None:
    """After a round. One over some hosts holds back, too, but says too little for a release."""
    parents = {host.name: host.parent for host in config.hosts if host.parent}
    polls = {poll.host: poll for poll in done.polls}
    known = _noted(work, parents, polls, done.started_ms)
    if done.full:
        for name in tuple(known.away):
            if _over(known, name, polls):
                work.release_held(now_ms(), f"parent {name}")
                work.forget(_AWAY + name)
                work.forget(_BACK + name)
    for host in parents.keys() & polls.keys():
        name = known.blamed(polls[host])
        if name:
            work.hold_news([host], DOWN, known.away[name], f"parent {name}")


def _noted(work: Work, parents: Mapping[str, str], polls: Mapping[str, Poll], started_ms: int) -> Gateways:
    """What is known of the gateways after these polls. A poll that was skipped tells nothing."""
    away = {task.removeprefix(_AWAY): at_ms for task, at_ms in work.noted(_AWAY).items()}
    back = {task.removeprefix(_BACK): at_ms for task, at_ms in work.noted(_BACK).items()}
    for name in set(parents.values()) & polls.keys():
        poll = polls[name]
        if poll.outcome is PollOutcome.SKIPPED:
            continue
        if unreachable(poll):
            if name not in away:
                away[name] = started_ms
                work.note(_AWAY + name, started_ms)
            if back.pop(name, None) is not None:
                work.forget(_BACK + name)
        elif name in away and name not in back:
            back[name] = poll.at_ms + round(poll.seconds * 1000)
            work.note(_BACK + name, back[name])
    return Gateways(parents, away, back)


def _over(known: Gateways, name: str, polls: Mapping[str, Poll]) -> bool:
    """It is nobody's gateway any more; or it answered, and since then every host behind it was asked that fails."""
    if name not in known.parents.values():
        return True
    return name in known.back and not any(
        _put_off(poll) or known.blamed(poll) == name for host, poll in polls.items() if name in known.above(host)
    )


def _put_off(poll: Poll) -> bool:
    """Another poller was at work there, or something was lacking: what was known of it before still holds."""
    return poll.outcome is PollOutcome.SKIPPED and poll.stage == "connect"

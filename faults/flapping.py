"""N4: a value that swings around its limit for an hour, at one poll a minute by the poller's clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from faults import canned
from faults.deliveries import MINUTE_MS, START_MS
from faults.journals import ask
from faults.lab import Lab
from poller.model import Config, Threshold
from tests.notify.servers import text_of

# Over the limit and under it, but not under the one that ends it where there is a band.
OVER, UNDER, CALM = 55.0, 45.0, 10.0
PLAIN: Final = Threshold("memory.percent", above=50.0, notify=("ops",))
BAND: Final = replace(PLAIN, clear=40.0)
# In so many polls what has flapped is steady again: a share under 25 % of 20.
SETTLES: Final = 20


@dataclass(frozen=True, slots=True)
class Swing:
    """`values` of the hour; at most `most` mails may tell of it, its end included. `ends`: whether it calms down."""

    values: tuple[float, ...]
    limit: Threshold
    most: int
    ends: bool = True


def flapping(lab: Lab) -> str:
    """The number of mails of each swing."""
    figures = []
    swings = _swings(lab.size(short=8, full=60))
    for name in lab.size(short=("each poll", "with hysteresis"), full=tuple(swings)):
        swing = swings[name]
        figures.append(f"{name}: {_mails(lab, name, swing)} mails of {_crossings(swing.values)} crossings")
    return "; ".join(figures)


def _swings(polls: int) -> dict[str, Swing]:
    """Without a band it takes six changes in 20 polls until it counts as flapping, each of which is told: three
    problems and two ends, then that it flaps, then its end. A change at each fourth poll, a share of 25 %, is none:
    each crossing is told.
    """
    every = tuple(UNDER if poll % 2 else OVER for poll in range(polls))
    pairs = tuple(UNDER if poll // 2 % 2 else OVER for poll in range(polls))
    seldom = tuple(UNDER if poll // 4 % 2 else OVER for poll in range(polls))
    chance = random.Random(4)
    at_random = tuple(chance.choice((OVER, UNDER)) for _ in range(polls))
    return {
        "each poll": Swing(every, PLAIN, 7),
        "each second poll": Swing(pairs, PLAIN, 8),
        "each fourth poll": Swing(seldom, PLAIN, 1 + (polls + 3) // 4),
        "by chance": Swing(at_random, PLAIN, 8),
        "to a bad end": Swing((*every, OVER), PLAIN, 7, ends=False),
        "with hysteresis": Swing(every, BAND, 2),
    }


def _crossings(values: Sequence[float]) -> int:
    states = [CALM > 50, *(value > 50 for value in values)]
    return sum(one != other for one, other in pairwise(states))


def _mails(lab: Lab, name: str, swing: Swing) -> int:
    inbox = lab.mail()
    config = canned.configuration(lab.folder(name.replace(" ", "-")), inbox.port, ("web1",), limits=(swing.limit,))
    messages = inbox.mail.messages
    for minute, used in enumerate(swing.values):
        canned.a_round(config, used, at_ms=START_MS + minute * MINUTE_MS)
    assert len(messages) < swing.most, f"{name}: {len(messages)} mails while it swings"
    last, minute = CALM if swing.ends else OVER, len(swing.values)
    while not _settled(config, swing):
        canned.a_round(config, last, at_ms=START_MS + minute * MINUTE_MS)
        minute += 1
        assert minute <= len(swing.values) + SETTLES, f"{name}: still not steady after {SETTLES} polls"
    assert ask(config.journal, "SELECT count(*) FROM notification WHERE state <> 'delivered'") == [(0,)], name
    kinds = [kind for (kind,) in ask(config.journal, "SELECT kind FROM notification ORDER BY number, at_ms, id")]
    said = text_of(messages[-1])
    end = "CLOSED" if swing.ends else "STEADY"
    assert end in said and "web1" in said, f"{name}: the last mail does not say {end}: {kinds}"
    assert len(messages) == len(kinds) <= swing.most, f"{name}: {len(messages)} mails: {kinds}"
    return len(messages)


def _settled(config: Config, swing: Swing) -> bool:
    """Whether the alert has ended, or does not flap any more."""
    state = ask(config.journal, "SELECT flapping FROM alert WHERE closed_ms IS NULL")
    return state == ([] if swing.ends else [(0,)])

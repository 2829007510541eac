"""One limit on one label value, from poll to poll: ok -> pending -> active -> ok.

`None` stands for ok. Pending lasts until the limit has been breached for the seconds *and* the polls in a row that
its hold asks for; a value that is no longer beyond the limit ends pending at once, but ends active only past `clear`.
UNKNOWN neither advances nor resets nor resolves anything. What nobody has looked at for too long is not "in a row":
pending starts anew then, while active stays, for nobody saw it end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from poller.model import AnyRule, Hold, LimitState, Standing, Verdict

# Stands for direction and number in the key of a state whose threshold is not known any more.
LOST_LIMIT: Final = "?"


def step(state: LimitState | None, verdict: Verdict, now_ms: int, oldest_ms: float = 0.0) -> LimitState | None:
    """The state after this verdict. What was last known before `oldest_ms` does not count on."""
    if verdict.standing is Standing.UNKNOWN:
        return state
    if verdict.standing is Standing.BREACH:
        return _breached(None if _stale(state, oldest_ms) else state, verdict, now_ms)
    if verdict.standing is Standing.BETWEEN and state is not None and state.active:
        return replace(state, seen_ms=now_ms)
    return None


def _stale(state: LimitState | None, oldest_ms: float) -> bool:
    # 0: written before instants were kept
    return state is not None and not state.active and 0 < state.seen_ms < oldest_ms


def _breached(state: LimitState | None, verdict: Verdict, now_ms: int) -> LimitState:
    # A clock that was set back starts the hold again: late by one hold, but never a negative time.
    since_ms = now_ms if state is None else min(state.since_ms, now_ms)
    polls = 1 if state is None else state.polls + 1
    hold = verdict.rule.hold
    active = (state is not None and state.active) or held(hold, now_ms - since_ms, polls)
    return LimitState(verdict.metric, verdict.labels, verdict.rule.key, since_ms, polls, active, now_ms)


def held(hold: Hold, lasted_ms: int, polls: int) -> bool:
    """Whether that is as long as the hold asks for."""
    return lasted_ms >= hold.seconds * 1000 and polls >= hold.polls


def inherit(
    states: Iterable[LimitState], configured: Mapping[str, AnyRule], verdicts: Sequence[Verdict]
) -> dict[str, LimitState]:
    """States by key, where a limit that was edited goes on under its new key instead of starting anew.

    A state whose key is configured no more goes to the limit of the same severity that has none yet; failing that to
    one of another severity, but only if that one is breached (or unknown): a limit that was merely removed must not
    lend its state to one that holds.
    """
    kept = {state.key: state for state in states}
    orphans = [kept.pop(key) for key in sorted(kept) if key not in configured]
    fresh = [verdict for verdict in verdicts if verdict.rule.key not in kept]
    for same_severity in (True, False):
        for verdict in list(fresh):
            heir = next((state for state in orphans if _fits(state, verdict, same_severity)), None)
            if heir is not None:
                orphans.remove(heir)
                fresh.remove(verdict)
                kept[verdict.rule.key] = replace(heir, key=verdict.rule.key)
    return kept


def _fits(state: LimitState, verdict: Verdict, same_severity: bool) -> bool:
    if same_severity:
        direction, _limit, severity = state.key.split(" ")
        same_direction = direction in (LOST_LIMIT, verdict.rule.key.split(" ")[0])
        return same_direction and severity == str(verdict.rule.severity)
    return verdict.standing in (Standing.BREACH, Standing.UNKNOWN)

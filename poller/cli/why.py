"""Why a rule did or did not fire at a poll: what it made of each label value, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from poller.alerts.freshness import sections
from poller.alerts.reason import number
from poller.cli.instant import shown
from poller.model import AnyRule, Hold, Rule, Standing, Threshold, Verdict, World
from poller.rules.figure import span
from poller.rules.matching import ExhaustedError

if TYPE_CHECKING:
    from poller.cli.rehearsal import Turn
    from poller.model import Alert, LimitState

Labels = tuple[tuple[str, str], ...]
DOWN: Final = "host.down"
_PINGED: Final = "it is only pinged, which tells no such number"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule says of one label value. `state` is firing, flapping, pending, ok, between, unknown or nothing.

    `nothing`: there is nothing that the rule is about. `since_ms` and `polls`: breached since when, and how often.
    """

    rule: AnyRule
    labels: Labels
    state: str
    why: str
    value: float | None = None
    saw: str = ""
    since_ms: int | None = None
    polls: int = 0


def answers(rules: Sequence[AnyRule], turn: Turn, first_ms: int, *, pinged: bool = False) -> Iterator[Answer]:
    """Of each rule, in order. `first_ms` is the oldest poll that is known: what began then may have begun before.

    `pinged`: nothing is read of this host, and nothing is wrong about that.
    """
    states = {(state.metric, state.labels, state.key): state for state in turn.comparison.states}
    alerts = {(alert.metric, alert.labels): alert for alert in turn.comparison.open}
    for rule in rules:
        verdicts = [verdict for verdict in turn.verdicts if verdict.rule is rule]
        for verdict in verdicts:
            state = states.get((verdict.metric, verdict.labels, rule.key))
            alert = alerts.get((verdict.metric, verdict.labels))
            yield _Case(verdict, state, alert, turn.world, first_ms, pinged).answer()
        if not verdicts:
            yield Answer(rule, (), "nothing", "nothing that it is about was there")


@dataclass(frozen=True, slots=True)
class _Case:
    verdict: Verdict
    state: LimitState | None
    alert: Alert | None
    world: World
    first_ms: int
    pinged: bool

    def answer(self) -> Answer:
        word, why = self._told()
        if word != "unknown" and self.alert is not None and self.alert.flapping:
            word, why = "flapping", f"{why}; it changes so often that it neither ends nor is told of"
        return Answer(
            self.verdict.rule,
            self.verdict.labels,
            word,
            why,
            self.verdict.value,
            "" if word == "unknown" and _ahead(self.verdict.rule) else self.verdict.saw,
            self.state.since_ms if self.state else None,
            self.state.polls if self.state else 0,
        )

    def _told(self) -> tuple[str, str]:
        standing = self.verdict.standing
        if standing is Standing.UNKNOWN:
            why = _PINGED if self.pinged and _needed(self.verdict.rule) else _unknown(self.verdict, self.world)
            return "unknown", f"{why}{self._stays()}"
        if self.state is None:
            word = "between" if standing is Standing.BETWEEN else "ok"
            return word, _quiet(self.verdict)
        if not self.state.active:
            return "pending", f"breached since {self._since()}: counts {_asked(self.verdict.rule.hold)}"
        return "firing", self._fires()

    def _fires(self) -> str:
        until = "" if self.verdict.standing is Standing.BREACH else ", and is over only when clear= is reached"
        if self.alert is not None and self.alert.severity > self.verdict.rule.severity:
            return f"holds since {self._since()}{until}; another limit makes the alert {self.alert.severity}"
        return f"holds since {self._since()}{until}"

    def _since(self) -> str:
        if self.state is None:
            return ""
        earlier = " or earlier" if self.state.since_ms <= self.first_ms else ""
        times = f"{self.state.polls} poll{'' if self.state.polls == 1 else 's'}"
        return f"{shown(self.state.since_ms)}{earlier} ({times})"

    def _stays(self) -> str:
        if self.state is None:
            return ""
        return f"; stays {'firing' if self.state.active else 'pending'}, breached since {self._since()}"


def _asked(hold: Hold) -> str:
    parts = [f"after {span(hold.seconds)}"] if hold.seconds else []
    if hold.polls > 1:
        parts.append(f"with poll {hold.polls} in a row")
    return " and ".join(parts)


def _quiet(verdict: Verdict) -> str:
    rule = verdict.rule
    if verdict.standing is Standing.BETWEEN:
        return "not breached: between its limit and clear="
    if _ahead(rule):
        return "not on the way there"
    return "does not hold" if isinstance(rule, Rule) else f"{number(verdict.value, rule.metric)} is within the limit"


def _unknown(verdict: Verdict, world: World) -> str:
    """Why nothing can be said."""
    return next(why for why in (look(verdict, world) for look in _CAUSES) if why)


def _needed(rule: AnyRule) -> set[str]:
    """The sections of a report that it looks at."""
    return set(sections(rule)) - {""}


def _ahead(rule: AnyRule) -> bool:
    """Whether it is about what will be."""
    return isinstance(rule, Threshold) and bool(rule.within)


def _unpolled(verdict: Verdict, world: World) -> str:
    down = any(value.metric == DOWN and value.value for value in world.values)
    return "the host could not be polled" if _needed(verdict.rule) and (down or not world.sight.sections) else ""


def _unread(verdict: Verdict, world: World) -> str:
    unread = sorted(_needed(verdict.rule) - world.sight.sections)
    if not unread:
        return ""
    many = len(unread) > 1
    return f"section{'s' if many else ''} {', '.join(unread)} {'were' if many else 'was'} not read, or not completely"


def _given_up(verdict: Verdict, _world: World) -> str:
    words = str(ExhaustedError())
    return words.removesuffix(": unknown") if verdict.saw == words else ""


def _young(verdict: Verdict, _world: World) -> str:
    return "too little is known of the hours before" if _ahead(verdict.rule) else ""


def _numberless(_verdict: Verdict, _world: World) -> str:
    return "the poll gave no such number"


_CAUSES: Final[tuple[Callable[[Verdict, World], str], ...]] = (_unpolled, _unread, _given_up, _young, _numberless)

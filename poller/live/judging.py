"""Rules that look at events and at nothing else, judged the moment something happens. All others wait for a poll."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from poller.model import AnyRule, Expression, Rule, Standing, Verdict, World
from poller.rules import judge
from poller.rules.expression import Missing, Past, Reaches, Selector, Tally
from poller.rules.expressions import of
from poller.rules.needs import nodes
from poller.rules.tally import kinds


def verdicts(rules: Sequence[AnyRule], world: World) -> tuple[Verdict, ...] | None:
    """Of rules that one of the world's events is about; of the others that nothing is known. None: there are none.

    An unknown verdict leaves an alert, and what is counted towards one, as it is.
    """
    happened = {event.kind for event in world.events}
    concerned = [rule for rule in rules if about(rule) & happened]
    if not concerned:
        return None
    known = set(map(id, concerned))  # a rule is a large value, and to compare two takes long
    others = (rule for rule in rules if id(rule) not in known)
    unknown = (Verdict(rule.metric, (), rule, Standing.UNKNOWN, None) for rule in others)
    return (*judge(concerned, world), *unknown)


def about(rule: AnyRule) -> frozenset[str]:
    """The kinds of event that it looks at; none where it looks at something else, too."""
    return _about(of(rule).holds, of(rule).clears) if isinstance(rule, Rule) else frozenset()


@lru_cache(maxsize=4096)
def _about(holds: Expression, clears: Expression | None) -> frozenset[str]:
    found: set[str] = set()
    for tree in (holds, clears):
        for node in nodes(tree) if tree is not None else ():
            if isinstance(node, Selector | Past | Missing | Reaches):
                return frozenset()
            if isinstance(node, Tally):
                if node.source != "event":
                    return frozenset()
                found.update(kinds(node))
    return frozenset(found)

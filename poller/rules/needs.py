"""How far back rules look: the journal is asked once for all rules of a host, and not at all where none looks back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from poller.model import AnyRule, Expression, Needs, Rule
from poller.model.threshold import is_glob
from poller.rules.expression import Missing, Past, Reaches, Tally, parts_of
from poller.rules.expressions import of
from poller.rules.forecast import lookback
from poller.rules.tally import kinds

NOTHING = Needs()


def needs(rules: Sequence[AnyRule]) -> Needs:
    """The longest time that any of the rules looks back, for each metric, log and kind of event; in seconds."""
    series: dict[str, float] = {}
    logs: dict[str, float] = {}
    events: dict[str, float] = {}
    for rule in rules:
        if not isinstance(rule, Rule) and not rule.within:
            continue  # a plain threshold, as most are
        for tree in of(rule):
            found = NOTHING if tree is None else _needs(tree)
            for longest, more in ((series, found.series), (logs, found.logs), (events, found.events)):
                for name, seconds in more.items():
                    longest[name] = max(seconds, longest.get(name, 0.0))
    return Needs(series, logs, events) if series or logs or events else NOTHING


@lru_cache(maxsize=4096)
def _needs(tree: Expression) -> Needs:
    series: dict[str, float] = {}
    logs: dict[str, float] = {}
    events: dict[str, float] = {}
    for node in nodes(tree):
        if isinstance(node, Past | Missing | Reaches):
            seconds = lookback(node.within) if isinstance(node, Reaches) else node.window
            if seconds:
                series[node.of.metric] = max(seconds, series.get(node.of.metric, 0.0))
        elif isinstance(node, Tally) and node.window:
            longest, names = (logs, [_log(node)]) if node.source == "log" else (events, kinds(node))
            for name in names:
                longest[name] = max(node.window, longest.get(name, 0.0))
    return Needs(series, logs, events)


def nodes(tree: Expression) -> Iterator[Expression]:
    """The tree and all that is in it."""
    yield tree
    for part in parts_of(tree):
        yield from nodes(part)


def _log(node: Tally) -> str:
    """The one log that it reads; "*" when it may be any."""
    names = [one.text for one in node.filters if one.label == "name" and one.sign == "="]
    return names[0] if names and not is_glob(names[0]) else "*"

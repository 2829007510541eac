"""How long what was seen counts on: the longest time there is, by configuration, between two looks at a subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poller.metrics import CATALOGUE
from poller.model import AnyRule, Expression, Host
from poller.rules.expression import Selector, Tally, parts_of
from poller.rules.expressions import of


def periods(host: Host, rules: Sequence[AnyRule]) -> dict[str, float]:
    """Metric, or name of a rule -> seconds from one reading of all that it looks at to the next.

    At least the host's `interval=`: a few polls that were asked for by hand make its pace no quicker.
    """
    found: dict[str, float] = {}
    for rule in rules:
        slowest = max((host.watch.period(section) for section in sections(rule)), default=0.0)
        found[rule.metric] = max(host.poll.interval, slowest, found.get(rule.metric, 0.0))
    return found


def sections(rule: AnyRule) -> Iterator[str]:
    """The sections of the report that a rule needs, "" for what the poll itself tells; some more than once."""
    conditions = of(rule)
    todo: list[Expression] = [conditions.holds, *([conditions.clears] if conditions.clears is not None else [])]
    while todo:
        node = todo.pop()
        if isinstance(node, Selector):
            yield CATALOGUE[node.metric].section
        elif isinstance(node, Tally) and node.source == "log":
            yield "logs"
        todo += parts_of(node)

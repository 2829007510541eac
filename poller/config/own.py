"""`<thresholds name="poller">`: limits on the numbers of the poller itself, which no host has, and who is told.

A threshold there replaces the built-in one of its metric; the others stay. Who is told is who <poller notify=> names,
or else everybody who is told about any host: that nobody watches them any more concerns them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from poller.config import defaults, merge
from poller.config.escalation import Again
from poller.config.limits import Limit
from poller.config.mistakes import Mistakes
from poller.config.structure import Node
from poller.metrics import OWN
from poller.model import POLLER, Hold, Host, Threshold


def thresholds(
    root: Node, sets: Mapping[str, Sequence[Limit]], hosts: Iterable[Host], again: Again
) -> tuple[Threshold, ...]:
    """The poller's own limits in force."""
    told = root.value("notify")
    if told is None:
        recipients = dict.fromkeys(name for host in hosts for limit in host.thresholds for name in limit.notify)
    else:
        recipients = dict.fromkeys(told.over(()))
    limits = merge.over(defaults.OWN_LIMITS, [sets.get(POLLER, ())])
    return merge.bound(limits, tuple(recipients), Hold(), again)


def check(root: Node, mistakes: Mistakes) -> None:
    """Notes numbers of the poller among those of hosts, and the other way round."""
    for node in root.walk():
        own = node.tag == "thresholds" and node.value("name") == POLLER
        for child in node.each("threshold"):
            metric = child.value("metric", "")
            if own and not metric.startswith(OWN):
                mistakes.add(
                    child.line_of("metric"),
                    f'<thresholds name="{POLLER}"> is for the poller\'s own numbers, and {metric} is one of hosts',
                    f"put it into another set, or name a metric that begins with {OWN}",
                )
            elif not own and metric.startswith(OWN):
                mistakes.add(
                    child.line_of("metric"),
                    f"{metric} is a number of the poller itself, no host has it",
                    f'put it into <thresholds name="{POLLER}">',
                )
        for child in node.each("rule") if own else ():
            mistakes.add(
                child.line,
                f'<thresholds name="{POLLER}"> is for limits on the poller\'s own numbers, a rule is about a host',
                "put it into another set",
            )
        if POLLER in node.value("thresholds", ()):
            mistakes.add(
                node.line_of("thresholds"),
                f'thresholds="{POLLER}" names the set of the poller itself, which is no set for hosts',
                "leave it out: it is in force always",
            )

"""`remind=` and `<escalate>`: who is told again, and who is told when nobody takes care. The nearest place wins.

Both are taken as a whole from the nearest of threshold or rule, host, group and poller that says anything of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from poller.config.mistakes import Mistakes
from poller.config.structure import Node
from poller.model import Escalation


@dataclass(frozen=True, slots=True)
class Again:
    """What one place says. None: nothing, what is further out counts."""

    remind: tuple[float, ...] | None = None
    escalations: tuple[Escalation, ...] | None = None

    def over(self, outer: Again) -> Again:
        """This, and what it does not say from further out."""
        return Again(
            outer.remind if self.remind is None else self.remind,
            outer.escalations if self.escalations is None else self.escalations,
        )


NOTHING: Final = Again()


def read(node: Node, mistakes: Mistakes) -> Again:
    """What an element says itself."""
    found = [escalation for child in node.each("escalate") for escalation in _escalation(child, mistakes)]
    afters: dict[float, int] = {}
    for escalation, line in found:
        if escalation.after in afters:
            mistakes.add(line, f"two <escalate> have the same after=; the first is in line {afters[escalation.after]}",
                         "write one with both names in notify=")  # fmt: skip
        afters.setdefault(escalation.after, line)
    told = tuple(sorted((each for each, _ in found if each.notify), key=lambda each: each.after))
    return Again(node.value("remind"), told if node.one("escalate") else None)


def _escalation(node: Node, mistakes: Mistakes) -> list[tuple[Escalation, int]]:
    told = node.value("notify")
    if told is None:
        return []
    if "+" in node.settings["notify"].raw:
        mistakes.add(node.line_of("notify"), "notify= of <escalate> always adds: leave the + out")
    recipients = told.over(())
    if recipients and "after" not in node.named:
        mistakes.add(node.line, "<escalate> needs after=")
    after = node.value("after")
    return [(Escalation(after, recipients), node.line)] if recipients and after is not None else []

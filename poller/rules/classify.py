"""Log lines get their class, low, medium or high, from the rules that look for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from poller.model import AnyRule, Expression, LogLine, Rule, Severity, World
from poller.rules.expression import Binary, Prefix, Tally, parts_of
from poller.rules.facts import Facts
from poller.rules.matching import ExhaustedError
from poller.rules.tally import LOG_FILTERS, picker

# A rule that waits for few lines (`count(log{...}, 26h) == 0`) does not mean that one of them is bad.
_FEW = frozenset({"<", "<=", "=="})


def classified(rules: Sequence[AnyRule], lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """The same lines; one that `log{...}` of a rule selects has the highest severity of these rules.

    What a rule says is not there, or seldom, is not selected by it. A rule whose patterns take too long selects
    what it found until then: nothing.
    """
    if not lines:
        return ()
    found: dict[int, Severity] = {}
    facts = Facts(World(0))
    for rule, log in _logs(rules):
        facts.budget.next_rule()
        try:
            picked = {id(line) for line, _ in picker(log, LOG_FILTERS)(lines, facts)}
        except ExhaustedError:
            continue
        for number, line in enumerate(lines):
            if id(line) in picked:
                found[number] = max(rule.severity, found.get(number, rule.severity))
    return tuple(
        replace(line, severity=found[number]) if found.get(number, line.severity) is not line.severity else line
        for number, line in enumerate(lines)
    )


def _logs(rules: Sequence[AnyRule]) -> Iterator[tuple[Rule, Tally]]:
    for rule in rules:
        if isinstance(rule, Rule):
            for log in _wanted(rule.condition, wanted=True):
                yield rule, log


def _wanted(tree: Expression, *, wanted: bool) -> Iterator[Tally]:
    """The logs of which more lines make the condition true."""
    if isinstance(tree, Tally):
        if tree.source == "log" and wanted:
            yield tree
    elif isinstance(tree, Prefix):
        yield from _wanted(tree.of, wanted=not wanted)
    elif isinstance(tree, Binary) and (tree.sign in _FEW or tree.sign in (">", ">=", "-", "/")):
        # On the right of > and on the left of < more lines make it less true.
        few = tree.sign in _FEW
        yield from _wanted(tree.left, wanted=wanted is not few)
        yield from _wanted(tree.right, wanted=wanted is few)
    else:
        for part in parts_of(tree):
            yield from _wanted(part, wanted=wanted)

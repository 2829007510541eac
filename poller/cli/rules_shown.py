"""What `poller rules test` found, for people: a table of answers, or of what would have happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from poller.alerts import reason
from poller.cli import firing
from poller.cli.foreign import one_line
from poller.cli.instant import shown
from poller.cli.table import cell, plain_table
from poller.model import Change, ChangeKind, Rule

if TYPE_CHECKING:
    from poller.cli.layout import PlainTable
    from poller.cli.why import Answer
    from poller.rules.trace import Trace

_STYLES: Final = {"firing": "bold red", "flapping": "bold red", "pending": "yellow", "unknown": "yellow"}
_WELL: Final = frozenset({"ok", "between"})


def answers_table(found: Sequence[Answer], most: int) -> PlainTable:
    """One line for each rule and label value; of those of one rule that are well no more than `most`."""
    table = plain_table("RULE", "STATE", "WHY")
    for one in _folded(found, most):
        if isinstance(one, str):
            table.add_row(Text(""), Text(""), cell(one))
            continue
        saw = f"{one.saw}: " if one.saw else ""
        table.add_row(
            cell(one_line(_named(one))),
            Text(one.state, style=_STYLES.get(one.state, "")),
            cell(one_line(f"{saw}{one.why}")),
        )
    return table


def _named(one: Answer) -> str:
    """As `disk.percent{/var} > 85 for 5m [medium]`, `busy [high]`."""
    limit = "" if isinstance(one.rule, Rule) else firing.breach(one.rule.metric, None, reason.limit(one.rule))
    parts = (firing.name(one.rule.metric, one.labels), limit, f"[{one.rule.severity}]")
    return " ".join(part for part in parts if part)


def _folded(found: Sequence[Answer], most: int) -> Iterator[Answer | str]:
    well: Counter[int] = Counter()
    for place, one in enumerate(found):
        if one.state in _WELL:
            well[id(one.rule)] += 1
        if one.state not in _WELL or well[id(one.rule)] <= most:
            yield one
        last = place + 1 == len(found) or found[place + 1].rule is not one.rule
        if last and well[id(one.rule)] > most:
            yield f"{well[id(one.rule)] - most} more are well (--rule {one.rule.metric} shows all)"


def traces_table(traces: Sequence[Trace]) -> PlainTable:
    """What each part of each condition came to; its parts are indented below it."""
    table = plain_table("CONDITION", "SAW")
    for depth, trace in (row for root in traces for part in root.parts for row in _rows(part, 0)):
        table.add_row(cell(f"{'  ' * depth}{one_line(trace.text)}"), cell(one_line(trace.value)))
    return table


def _rows(trace: Trace, depth: int) -> Iterator[tuple[int, Trace]]:
    yield depth, trace
    for part in trace.parts:
        yield from _rows(part, depth + 1)


def changes_table(changes: Sequence[tuple[int, Change]]) -> PlainTable:
    table = plain_table("TIME", "CHANGE", "SEVERITY", "RULE", "WHY")
    for at_ms, change in changes:
        alert = change.alert
        table.add_row(
            shown(at_ms),
            Text(str(change.kind)),
            Text(str(alert.severity), style=firing.STYLES.get(str(alert.severity), "")),
            cell(one_line(firing.name(alert.metric, alert.labels))),
            cell(one_line(change.reason)),
        )
    return table


# What happened how often, in words.
_WORDS: Final = {
    ChangeKind.OPENED: "opened", ChangeKind.ROSE: "rose", ChangeKind.FELL: "fell",
    ChangeKind.FLAPPING: "began to flap", ChangeKind.STEADY: "calmed down", ChangeKind.CLOSED: "ended",
}  # fmt: skip


def summary(changes: Sequence[Change]) -> str:
    """As "opened 3 times, ended 2 times, 1 still open"."""
    if not changes:
        return "nothing would have fired"
    counts = Counter(change.kind for change in changes)
    parts = [f"{word} {counts[kind]} time{'s' * (counts[kind] != 1)}" for kind, word in _WORDS.items() if counts[kind]]
    last = {change.alert.id: change.alert for change in changes}
    still = sum(alert.closed_ms is None for alert in last.values())
    return ", ".join(parts) + (f"; {still} still open" if still else "")

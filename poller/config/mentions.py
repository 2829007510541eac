"""What thresholds and rules mention: metrics, logs and events, and the label values that they spell out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poller.model import AnyRule, Expression, Threshold
from poller.model.threshold import is_glob


@dataclass(frozen=True, slots=True)
class Mention:
    """A metric, or `log` or `event`. `filters` are label, value and place in the text, where it is one value."""

    name: str
    filters: tuple[tuple[str, str, tuple[int, int]], ...] = ()

    @property
    def exact(self) -> list[str]:
        return [value for _, value, _ in self.filters]

    def moved(self, by: int) -> Mention:
        """The same, so many characters later in the text."""
        filters = tuple((name, value, (begin + by, end + by)) for name, value, (begin, end) in self.filters)
        return Mention(self.name, filters)


def of(rule: AnyRule) -> Iterator[Mention]:
    """All that it mentions."""
    if isinstance(rule, Threshold):
        yield Mention(rule.metric, tuple((name, glob, (0, 0)) for name, glob in rule.labels if not is_glob(glob)))
        return
    for expression in (rule.condition, rule.clear):
        if expression is not None:
            yield from expressed(expression)


def expressed(expression: Expression) -> Iterator[Mention]:
    """All that an expression mentions, from left to right."""
    from poller.rules.expression import Filter, Selector, Tally, parts_of

    def exact(filters: tuple[Filter, ...]) -> tuple[tuple[str, str, tuple[int, int]], ...]:
        # The match of a log is looked for, it is no value.
        return tuple(
            (each.label, each.text, each.place)
            for each in filters
            if each.sign == "=" and each.label != "match" and not is_glob(each.text)
        )

    if isinstance(expression, Selector):
        yield Mention(expression.metric, exact(expression.filters))
    elif isinstance(expression, Tally):
        yield Mention(expression.source, exact(expression.filters))
    for part in parts_of(expression):
        yield from expressed(part)

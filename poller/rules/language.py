"""`<rule>`: text -> tree, or the first mistake in it with its place.

docs/alerts.md tells the language to people. Everything that can be known without looking at a host is checked here:
names of metrics, labels and functions, units, times, regular expressions, and what can be combined.
"""

from __future__ import annotations

from poller.model import Expression
from poller.rules.expression import Binary, Number, Prefix
from poller.rules.kind import kind, must_be_condition
from poller.rules.mistake import RuleError, at
from poller.rules.needs import nodes


def parse(text: str) -> Expression:
    """The condition that a text says. Raises RuleError, whose position counts characters of `text`."""
    from poller.rules.grammar import read
    from poller.rules.meaning import meaning

    expression = meaning(read(text))
    begin = len(text) - len(text.lstrip())
    whole = begin, len(text.rstrip())
    must_be_condition(expression, whole)
    if all(isinstance(node, Binary | Prefix | Number) for node in nodes(expression)):
        raise at(
            whole, "this looks at nothing of a host", "name a metric, a log or an event: `poller metrics` lists metrics"
        )
    return expression


def parse_clear(text: str, condition: Expression) -> Expression:
    """The same for `clear=` of a rule with that condition: it is about the same labels, or about none."""
    clear = parse(text)
    theirs, own = kind(condition).labels, kind(clear).labels
    if own and own != theirs:
        sentence = f"clear= is by {', '.join(own)}, and the rule by {', '.join(theirs) or 'nothing'}"
        hint = "write it about the same labels, or gather them: any(), all(), max(), min(), sum(), count()"
        raise RuleError(sentence, hint, 0, len(text))
    return clear

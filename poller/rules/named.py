"""Names with braces: metrics by their labels, log lines and events by what they say."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from poller.metrics import CATALOGUE, OWN, Metric, closest
from poller.model import EVENT_KINDS, Severity
from poller.rules import matching
from poller.rules.expression import Filter, Selector, Tally
from poller.rules.mistake import at, meant
from poller.rules.tally import EVENT_FILTERS, LOG_FILTERS
from poller.rules.words import Operand, Word

_FILTERS: Final = {"log": tuple(LOG_FILTERS), "event": tuple(EVENT_FILTERS)}
# What a filter's glob must fit at least one of.
_CHOICES: Final = {"kind": EVENT_KINDS, "severity": tuple(str(severity) for severity in Severity)}
# The regular expression that finds is written as `=`.
_FOUND: Final = {"=~": "=", "!~": "!="}


def value_of(item: Operand) -> Selector:
    """A metric. RuleError when there is none of that name, or it has no such label."""
    metric = CATALOGUE.get(item.word.text)
    if metric is None:
        near = closest(item.word.text[:100]) or meant(item.word.text, _FILTERS)
        hint = near if not near or near.startswith("did") else f"did you mean {near}?"
        raise at(item.word.place, f"there is no metric {item.word.text[:60]!r}", hint or "`poller metrics` lists them")
    if metric.name.startswith(OWN):
        raise at(
            item.word.place,
            f"{metric.name} is a number of the poller itself, and no host has it",
            'put a <threshold> for it into <thresholds name="poller">',
        )
    filters = tuple(_label(metric, *one) for one in item.braces.filters) if item.braces else ()
    return Selector(metric.name, filters, item.place)


def _label(metric: Metric, name: Word, sign: Word, text: Word) -> Filter:
    if name.text != metric.label:
        hint = f"its label is {metric.label}" if metric.label else "leave the braces out"
        raise at(name.place, f"{metric.name} has no label {name.text[:60]!r}", hint)
    if "~" in sign.text:
        matching.check(text.text, text.place)
    return Filter(name.text, sign.text, text.text, (name.place[0], text.place[1]))


def tally_of(item: Operand) -> Tally | None:
    """Lines or events of this poll; None for another name."""
    source = item.word.text
    if source not in _FILTERS:
        return None
    caught: set[str] = set()
    filters = tuple(_filter(source, *one, caught) for one in item.braces.filters) if item.braces else ()
    check_by(item.by, caught)
    by = tuple(sorted({word.text for word in item.by}))
    return Tally(source, filters, 0.0, by, False, item.place)


def check_by(by: Iterable[Word], caught: Iterable[str]) -> None:
    """Each name must be a group of a pattern."""
    names = sorted(caught)
    for word in by:
        if word.text not in names:
            hint = meant(word.text, names) or 'name a group of match: match="from (?P<source>\\S+)"'
            raise at(word.place, f"no match catches {word.text[:60]!r}", hint)


def groups(tally: Tally) -> set[str]:
    """The names that its patterns catch."""
    wanted = (one.text for one in tally.filters if one.label == "match" and one.sign == "=")
    return {name for text in wanted for name in matching.pattern(text).groupindex}


def _filter(source: str, name: Word, sign: Word, text: Word, caught: set[str]) -> Filter:
    if name.text not in _FILTERS[source]:
        hint = meant(name.text, _FILTERS[source]) or f"it can have {', '.join(_FILTERS[source])}"
        raise at(name.place, f"{source} has no {name.text[:60]!r}", hint)
    place = (name.place[0], text.place[1])
    if name.text == "match":
        found = matching.check(text.text, text.place)
        kept = _FOUND.get(sign.text, sign.text)
        caught |= found if kept == "=" else frozenset()
        return Filter(name.text, kept, text.text, place)
    if "~" in sign.text:
        matching.check(text.text, text.place)
    else:
        _check_choice(name, text)
    return Filter(name.text, sign.text, text.text, place)


def _check_choice(name: Word, text: Word) -> None:
    choices = _CHOICES.get(name.text, ())
    if choices and not any(fnmatchcase(choice, text.text) for choice in choices):
        alike = [choice for choice in choices if text.text in choice] or choices
        hint = meant(text.text, choices) or f"there are {', '.join(alike)}"
        raise at(text.place, f"there is no {name.text} {text.text[:60]!r}", hint)

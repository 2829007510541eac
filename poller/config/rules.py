"""`<rule>`: its text to an Expression, with every mistake at its place; and which rules a host has in the end.

Of rules with one name the nearest wins: <poller>, the threshold sets in the order they are named, group, host.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from poller.config import escalation
from poller.config.escalation import NOTHING, Again
from poller.config.mentions import Mention, expressed
from poller.config.merge import NOBODY
from poller.config.mistakes import Mistakes, shortened
from poller.config.notify import Notify
from poller.config.source import pointed
from poller.config.structure import Node
from poller.metrics import CATALOGUE
from poller.model import Expression, Hold, Rule, Severity

if TYPE_CHECKING:
    from poller.rules.mistake import RuleError

_ALONE: Final = ("clear", "for", "polls", "severity", "notify", "remind", "evidence")
_LONGEST: Final = 4096
_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A rule not yet bound to a host; without a `rule` it removes what further out has its name."""

    name: str
    rule: Rule | None
    notify: Notify | None = None
    again: Again = NOTHING


Layer = tuple[Written, ...]


def read(parent: Node, mistakes: Mistakes) -> Layer:
    """The rules inside one element, without those that are wrong."""
    found = []
    lines: dict[str, int] = {}
    for node in parent.each("rule"):
        name = node.value("name")
        if name in lines:
            mistakes.add(
                node.line_of("name"),
                f'rule "{name}" stands twice in <{parent.tag}>; the first is in line {lines[name]}',
            )
        elif name is not None:
            lines[name] = node.line_of("name")
        written = _written(node, mistakes)
        if written is not None:
            found.append(written)
    return tuple(found)


def merged(layers: Iterable[Layer]) -> Layer:
    """The rules in force, each where its name came first."""
    nearest = {written.name: written for layer in layers for written in layer}
    return tuple(written for written in nearest.values() if written.rule is not None)


def bound(layer: Layer, notify: tuple[str, ...], again: Again) -> tuple[Rule, ...]:
    """The rules as those of one host: who is told, and when again."""
    return tuple(_bound(written.rule, written, notify, written.again.over(again)) for written in layer if written.rule)


def _bound(rule: Rule, written: Written, notify: tuple[str, ...], again: Again) -> Rule:
    return dataclasses.replace(
        rule,
        notify=(written.notify or NOBODY).over(notify),
        remind=again.remind or (),
        escalations=again.escalations or (),
    )


def _written(node: Node, mistakes: Mistakes) -> Written | None:
    name = node.value("name", "")
    if name in CATALOGUE:
        mistakes.add(node.line_of("name"), f'a rule cannot be called "{name}", which is a metric',
                     "its alerts are named by it; choose a word of your own")  # fmt: skip
    if node.value("off", False):
        _check_off(node, mistakes)
        return Written(name, None) if name else None
    again = escalation.read(node, mistakes)
    text, condition = _parsed(node, "", mistakes)
    clear_text, clear = _parsed(node, "clear", mistakes, about=_text(node, "").strip() if condition else "")
    if not name or condition is None:
        return None
    rule = Rule(
        name=name,
        condition=condition,
        text=text,
        clear=clear,
        clear_text=clear_text,
        hold=Hold(node.value("for", 0.0), node.value("polls", 1)),
        severity=node.value("severity", Severity.MEDIUM),
        evidence=node.value("evidence", False),
        where=mistakes.where(node.line),
    )
    return Written(name, rule, node.value("notify"), again)


def _check_off(node: Node, mistakes: Mistakes) -> None:
    for attribute in _ALONE:
        if attribute in node.named:
            mistakes.add(node.line_of(attribute), f'{attribute}= means nothing beside off="yes"')
    if _text(node, "").strip() or node.children:
        mistakes.add(node.line, '<rule off="yes"> is to be empty: it removes the rule of that name')


def _text(node: Node, attribute: str) -> str:
    """What is to be read as a rule: with the values of variables in an attribute."""
    source = node.sources.get(attribute)
    if source is None:
        return ""
    return node.value(attribute, "") if attribute else source.text


def _parsed(node: Node, attribute: str, mistakes: Mistakes, about: str = "") -> tuple[str, Expression | None]:
    """The text in one line, and what it means; None when there is none, or something is wrong with it.

    A clear= is `about` the condition beside it, if that is right.
    """
    text = _text(node, attribute)
    if not text.strip():
        if not attribute:
            mistakes.add(node.line, f"{_subject(node, attribute)} holds no condition",
                         "write one between the tags: <rule name=…>cpu.percent > 90</rule>")  # fmt: skip
        return "", None
    if len(text) > _LONGEST:
        mistakes.add(node.line, f"{_subject(node, attribute)} is too long", "make several rules of it")
        return "", None
    lead = len(text) - len(text.lstrip())
    found = _expression(text.strip(), about)
    if isinstance(found, Expression):
        return _in_one_line(text.strip()), found
    note(node, attribute, found.sentence, found.hint, lead + found.position, found.length, mistakes)
    return "", None


def mentioned(node: Node) -> Iterator[tuple[str, Mention]]:
    """What the texts of a <rule> mention, if they are right, each with its attribute ("" for the text itself)."""
    for attribute in ("", "clear"):
        text = _text(node, attribute)
        found = _expression(text.strip()) if text.strip() and len(text) <= _LONGEST else None
        for mention in expressed(found) if isinstance(found, Expression) else ():
            yield attribute, mention.moved(len(text) - len(text.lstrip()))


def _subject(node: Node, attribute: str) -> str:
    """`rule "busy"`, or `clear= of rule "busy"`."""
    name = f'rule "{node.value("name")}"' if "name" in node.settings else "<rule>"
    return f"{attribute}= of {name}" if attribute else name


def note(node: Node, attribute: str, sentence: str, hint: str, position: int, length: int, mistakes: Mistakes) -> None:
    """A mistake inside the text of a rule, at its own line, with the text and a caret under the place."""
    source = node.sources[attribute]
    if attribute and _text(node, attribute) != source.text:
        # The value of a variable is not repeated.
        mistakes.add(node.line_of(attribute), f"{_subject(node, attribute)} is wrong with what its variables hold")
        return
    line, column = source.place(position)
    told = f"{_subject(node, attribute)}: {shortened(sentence, 300)}"
    mistakes.add(line, told, hint, column=column, excerpt=pointed(source.text, position, length))


@lru_cache(maxsize=4096)
def _expression(text: str, about: str = "") -> Expression | RuleError:
    """Each distinct text is read once. The language, with the library below it, is loaded only where a rule stands."""
    from poller.rules.language import parse, parse_clear
    from poller.rules.mistake import RuleError

    try:
        return parse_clear(text, parse(about)) if about else parse(text)
    except RuleError as error:
        return error.with_traceback(None)


def _in_one_line(text: str) -> str:
    """Without line ends and needless blanks; what stands in quotes stays as it is."""
    return _BLANKS.sub(lambda match: match[1] or " ", text)

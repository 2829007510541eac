"""A document against the vocabulary: unknown, misplaced, missing, doubled; and each attribute's text to its value.

Elements go in, `Node`s come out that hold only what is right; everything wrong is noted and left out, so that the
steps after this one find their mistakes too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from poller.config import variables
from poller.config.document import Element
from poller.config.mistakes import Mistakes, WrongError, meant, shortened
from poller.config.place import Place
from poller.config.shape import Shape
from poller.config.source import Source
from poller.config.vocabulary import VOCABULARY
from poller.model import Secret

# Editors find the schema by such an attribute: xsi:noNamespaceSchemaLocation="config.xsd".
_SCHEMA_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True, slots=True)
class Setting:
    """An attribute that was understood. `raw` is its text as written, before variables."""

    value: Any
    raw: str
    line: int


@dataclass(frozen=True, slots=True)
class Node:
    """An element of the vocabulary with what was right about it. `named` are all its attributes, right or wrong.

    `sources` is what a <rule> says, as written.
    """

    tag: str
    line: int
    settings: Mapping[str, Setting]
    children: tuple[Node, ...]
    named: frozenset[str]
    sources: Mapping[str, Source] = field(default_factory=dict)

    def value(self, name: str, default: Any = None) -> Any:
        setting = self.settings.get(name)
        return default if setting is None else setting.value

    def line_of(self, name: str) -> int:
        """The attribute's line, or the element's when there is no such attribute."""
        setting = self.settings.get(name)
        return self.line if setting is None else setting.line

    def each(self, tag: str) -> Iterator[Node]:
        return (child for child in self.children if child.tag == tag)

    def one(self, tag: str) -> Node | None:
        return next(self.each(tag), None)

    def first_line(self, tag: str) -> int:
        """The line of the first such child, 0 without one."""
        found = self.one(tag)
        return 0 if found is None else found.line

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()


def check(root: Element, place: Place, mistakes: Mistakes) -> Node:
    """The document as nodes. ConfigError at once only when it is no configuration at all."""
    if root.tag != "poller":
        mistakes.add(root.line, f"the outermost element is <{shortened(root.tag)}>; it must be <poller>")
        raise mistakes.error()
    return _node(root, place, mistakes)


def _node(element: Element, place: Place, mistakes: Mistakes) -> Node:
    shape = VOCABULARY[element.tag]
    if element.text and not shape.text:
        mistakes.add(element.line, f'<{element.tag}> holds the text "{shortened(element.text)}", which means nothing')
    settings = dict(_settings(element, shape, place, mistakes))
    _check_together(element, shape, mistakes)
    children = tuple(_children(element, shape, place, mistakes))
    return Node(element.tag, element.line, settings, children, frozenset(element.attributes), element.sources)


def _children(element: Element, shape: Shape, place: Place, mistakes: Mistakes) -> Iterator[Node]:
    seen: dict[str, int] = {}
    for child in element.children:
        if child.tag not in shape.children:
            mistakes.add(child.line, *_misplaced(child.tag, element.tag, shape))
            continue
        if child.tag in seen and VOCABULARY[child.tag].once:
            mistakes.add(child.line, f"<{child.tag}> stands twice; the first is in line {seen[child.tag]}")
        seen.setdefault(child.tag, child.line)
        yield _node(child, place, mistakes)


def _misplaced(tag: str, parent: str, shape: Shape) -> tuple[str, str]:
    homes = [f"<{name}>" for name, other in VOCABULARY.items() if tag in other.children]
    if homes:
        hint = f"<{tag}> stands inside {' or '.join(homes)}"
        if tag in ("ssh", "poll") and parent in ("group", "host"):
            shared = next(name for name in VOCABULARY[tag].attributes if name in shape.attributes)
            hint += f"; its attributes stand on <{parent}> itself: <{parent} {shared}=...>"
        return f"<{tag}> cannot stand inside <{parent}>", hint
    suggestion = meant(tag, shape.children) or meant(tag, VOCABULARY)
    return f"<{shortened(tag)}> is not an element of config.xml{suggestion}", ""


def _settings(element: Element, shape: Shape, place: Place, mistakes: Mistakes) -> Iterator[tuple[str, Setting]]:
    for name, text in element.attributes.items():
        if name.startswith(_SCHEMA_INSTANCE):
            continue
        kind = shape.attributes.get(name)
        if kind is None:
            mistakes.add(text.line, *_unknown(name, element.tag, shape))
            continue
        try:
            filled = variables.fill(text.text, place.environ)
            value = kind(_filled(filled, needed=name in shape.required), place)
        except WrongError as wrong:
            shown = f"{name}=" if name in shape.private else f'{name}="{shortened(text.text)}"'
            mistakes.add(text.line, f"{shown} {wrong.predicate}", wrong.hint)
            continue
        if isinstance(value, Secret):
            value = dataclasses.replace(value, where=mistakes.where(text.line))
        yield name, Setting(value, text.text, text.line)


def _filled(text: str, *, needed: bool) -> str:
    if not text.strip():
        raise WrongError("is empty", "" if needed else "leave the attribute out for its default")
    return text


def _unknown(name: str, tag: str, shape: Shape) -> tuple[str, str]:
    if name in ("password", "passphrase", "secret", "token") or (name == "url" and "url-file" in shape.attributes):
        # Its text is a secret: it is not repeated here.
        return (
            f"{name}= would keep a secret in this file",
            f"put it into a file of mode 0600 and name that: {name}-file=, or an environment variable: {name}-env=",
        )
    homes = [f"<{other}>" for other, its in VOCABULARY.items() if name in its.attributes]
    suggestion = meant(name, shape.attributes)
    hint = f"{name}= belongs to {', '.join(homes)}" if homes and not suggestion else ""
    return f"<{tag}> has no attribute {shortened(name)}={suggestion}", hint


def _check_together(element: Element, shape: Shape, mistakes: Mistakes) -> None:
    for name in shape.required:
        if name not in element.attributes:
            mistakes.add(element.line, f"<{element.tag}> needs {name}=")
    if shape.some and not element.attributes.keys() & set(shape.some):
        wanted = " ".join(f"{name}=" for name in shape.some)
        mistakes.add(element.line, f"<{element.tag}> needs at least one of {wanted}")
    for first, second in shape.exclusive:
        if first in element.attributes and second in element.attributes:
            line = max(element.attributes[first].line, element.attributes[second].line)
            mistakes.add(line, f"<{element.tag}> has both {first}= and {second}=; one of them has to go")

"""Logs and checks that limits and rules name: about one that is not there nobody would ever be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from poller.config import rules
from poller.config.mentions import Mention
from poller.config.mistakes import Mistakes, meant, shortened
from poller.config.structure import Node
from poller.model.threshold import is_glob

# What may give a name to a log and to a check.
_TAGS: Final[Mapping[str, Sequence[str]]] = {"log": ("log", "journal"), "check": ("check",)}


def check(root: Node, mistakes: Mistakes) -> None:
    """Notes every log and check that no element names."""
    nodes = list(root.walk())
    known = {noun: [node.value("name", "") for node in nodes if node.tag in tags] for noun, tags in _TAGS.items()}
    for node in nodes:
        if node.tag == "threshold":
            _check_threshold(node, known, mistakes)
        elif node.tag == "rule":
            _check_rule(node, known, mistakes)


def _check_threshold(node: Node, known: Mapping[str, Sequence[str]], mistakes: Mistakes) -> None:
    for noun, names in known.items():
        name = node.value(noun, "")
        if name and name not in names and not is_glob(name):
            mistakes.add(node.line_of(noun), *_unknown(noun, name, names))


def _check_rule(node: Node, known: Mapping[str, Sequence[str]], mistakes: Mistakes) -> None:
    for attribute, mention in rules.mentioned(node):
        for noun, name, (begin, end) in _named(mention):
            if name not in known[noun]:
                rules.note(node, attribute, *_unknown(noun, name, known[noun]), begin, end - begin, mistakes)


def _named(mention: Mention) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """The logs and checks that it names, and where: the name of `log{name=…}` is one, too."""
    for label, value, place in mention.filters:
        if mention.name == "log" and label == "name":
            yield "log", value, place
        elif mention.name not in ("log", "event") and label in _TAGS:
            yield label, value, place


def _unknown(noun: str, name: str, names: Sequence[str]) -> tuple[str, str]:
    hint = f"name one with <{noun}>" + (" or <journal>" if noun == "log" else "")
    return f'there is no {noun} "{shortened(name)}"{meant(name, names)}', hint

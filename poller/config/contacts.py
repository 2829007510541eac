"""`<contact>`: who can be told, by which channels and when. Everything that a contact names must exist."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from poller.config.channels import MAIL
from poller.config.mistakes import Mistakes, meant
from poller.config.notify import MAILTO
from poller.config.structure import Node
from poller.model import ChannelSettings, Contact, Hours


def contacts(root: Node, channels: Iterable[ChannelSettings], mistakes: Mistakes) -> tuple[Contact, ...]:
    """The contacts that have a name, each once."""
    found: dict[str, Contact] = {}
    lines: dict[str, int] = {}
    known = [MAIL, *(channel.name for channel in channels)]
    groups = [node.value("name", "") for node in root.each("group")]
    for node in root.each("contact"):
        name = node.value("name")
        if name is None:
            continue
        if name == "none":
            mistakes.add(node.line_of("name"), 'a contact cannot be called "none", which means nobody in notify=')
        if name in found:
            mistakes.add(node.line_of("name"), f'contact "{name}" stands twice; the first is in line {lines[name]}')
        lines.setdefault(name, node.line_of("name"))
        found.setdefault(name, _contact(node, name, mistakes))
        check_names(node, "channels", "channel", known, mistakes)
        check_names(node, "groups", "group", groups, mistakes)
    return tuple(found.values())


def _contact(node: Node, name: str, mistakes: Mistakes) -> Contact:
    ways = node.value("channels", (MAIL,))
    if MAIL in ways and "mail" not in node.named and "channels" in node.settings:
        mistakes.add(node.line_of("channels"), f'contact "{name}" is to be told by mail but has no mail=')
    return Contact(
        name=name,
        mail=node.value("mail", ""),
        severities=node.value("severities", frozenset()),
        channels=ways,
        groups=frozenset(node.value("groups", ())),
        hours=_hours(node, mistakes),
    )


def _hours(node: Node, mistakes: Mistakes) -> tuple[Hours, ...]:
    if "hours" in node.named and "zone" not in node.named:
        mistakes.add(
            node.line_of("hours"), "hours= needs zone=: by whose clock?", 'write zone="Europe/Berlin", or zone="UTC"'
        )
    if "zone" in node.named and "hours" not in node.named:
        mistakes.add(node.line_of("zone"), "zone= means nothing without hours=")
    zone = node.value("zone", "UTC")
    return tuple(dataclasses.replace(each, zone=zone) for each in node.value("hours", ()))


def check_names(node: Node, attribute: str, noun: str, known: Iterable[str], mistakes: Mistakes) -> None:
    """What an attribute lists must be among what is known."""
    known = list(known)
    for name in node.value(attribute, ()):
        if name not in known:
            mistakes.add(node.line_of(attribute), f'there is no {noun} "{name}"{meant(name, known)}')


def check_reachable(root: Node, mistakes: Mistakes) -> None:
    """Somebody to tell by mail but no mail server: it would be noticed only when it is needed."""
    if root.one("mail") is not None:
        return
    for node in root.walk():
        told = node.value("notify")
        by_mail = node.tag == "contact" and MAIL in node.value("channels", (MAIL,))
        if by_mail or (told and any(each.startswith(MAILTO) for each in told.over(()))):
            line = node.line if node.tag == "contact" else node.line_of("notify")
            mistakes.add(
                line, "somebody is to be told by mail but there is no <mail>", 'add <mail server="…" from="…"/>'
            )
            return

"""Checked nodes to the frozen Config: the parts of the poller itself, then references between them, then the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from poller.config import archive, defaults, journal, limits, own, watch
from poller.config.hosts import Fleet, Level, inherited
from poller.config.limits import Limit
from poller.config.mistakes import Mistakes, meant, shortened
from poller.config.notify import MAILTO
from poller.config.place import Place
from poller.config.structure import Node
from poller.model import POLLER, Config, Contact, MailServer, Retention

_PORTS: Final = {"none": 25, "starttls": 587, "tls": 465}


def build(root: Node, path: Path, place: Place, mistakes: Mistakes) -> Config:
    """The configuration; what is wrong with it is in `mistakes`."""
    contacts = _contacts(root, mistakes)
    sets = _sets(root, mistakes)
    mail = _mail(root, mistakes)
    _check_references(root, contacts, sets, mistakes)
    _check_labels(root, mistakes)
    _check_reachable(root, mistakes)
    own.check(root, mistakes)
    journal.check(root, mistakes)
    fleet = Fleet(sets, place, mistakes)
    fleet.read(root, _top(root, mistakes))
    node, poll = journal.own(root), root.one("poll")
    database = (node.value("path") if node else None) or place.state / "poller.db"
    return Config(
        path=path.absolute(),
        journal=database,
        journal_bound=node.value("bound", 1 << 30) if node else 1 << 30,
        archive=archive.build(root, database, mistakes),
        hosts=tuple(fleet.hosts),
        thresholds=own.thresholds(root, sets, fleet.hosts),
        at_once=poll.value("at-once", 200) if poll else 200,
        retention=_retention(root),
        mail=mail,
        contacts=contacts,
        origins=MappingProxyType(fleet.origins),
    )


def _top(root: Node, mistakes: Mistakes) -> Level:
    """What <poller>, <ssh> and <poll> hand down to every host."""
    settings = {
        name: setting
        for node in (root, root.one("ssh"), root.one("poll"))
        if node
        for name, setting in inherited(node).items()
    }
    told, watched = root.value("notify"), watch.read(root, mistakes)
    return Level(settings, watched=(watched,) if watched else (), notify=told.over(()) if told else ())


def _contacts(root: Node, mistakes: Mistakes) -> tuple[Contact, ...]:
    contacts: dict[str, Contact] = {}
    lines: dict[str, int] = {}
    for node in root.each("contact"):
        name, mail = node.value("name"), node.value("mail", "")
        if name is None:
            continue
        if name == "none":
            mistakes.add(node.line_of("name"), 'a contact cannot be called "none", which means nobody in notify=')
        if name in contacts:
            mistakes.add(node.line_of("name"), f'contact "{name}" stands twice; the first is in line {lines[name]}')
        lines.setdefault(name, node.line_of("name"))
        contacts.setdefault(name, Contact(name, mail, node.value("severities", frozenset())))
    return tuple(contacts.values())


def _sets(root: Node, mistakes: Mistakes) -> dict[str, Sequence[Limit]]:
    sets: dict[str, Sequence[Limit]] = {}
    lines: dict[str, int] = {}
    for node in root.each("thresholds"):
        name = node.value("name")
        found = limits.read(node, mistakes)
        if name in sets:
            mistakes.add(node.line, f'threshold set "{name}" stands twice; the first is in line {lines[name]}')
        elif name is not None:
            sets[name], lines[name] = found, node.line
    return sets


def _mail(root: Node, mistakes: Mistakes) -> MailServer | None:
    node = root.one("mail")
    if node is None:
        return None
    security = node.value("security", "starttls")
    password = node.value("password-file") or node.value("password-env")
    user = node.value("user")
    if password and "user" not in node.named:
        mistakes.add(node.line, "<mail> has a password but no user=")
    if user and not {"password-file", "password-env"} & node.named:
        mistakes.add(node.line_of("user"), "<mail> has user= but neither password-file= nor password-env=")
    if password and security == "none":
        mistakes.add(
            node.line_of("security"),
            'security="none" would send the password in clear text',
            'use security="starttls" or "tls", or leave user= and the password out',
        )
    return MailServer(
        server=node.value("server", ""),
        port=node.value("port", _PORTS[security]),
        sender=node.value("from", ""),
        security=security,
        user=user,
        password=password,
        ca_file=node.value("ca-file"),
        timeout=node.value("timeout", 15.0),
    )


def _retention(root: Node) -> Retention:
    node = root.one("retention")
    return Retention(**{name: setting.value for name, setting in node.settings.items()}) if node else Retention()


def _check_references(
    root: Node, contacts: Iterable[Contact], sets: Mapping[str, Sequence[Limit]], mistakes: Mistakes
) -> None:
    """Contacts in notify= and sets in thresholds= must exist."""
    people = [contact.name for contact in contacts]
    known_sets = [*sets, defaults.NAME, POLLER]
    for node in root.walk():
        for name in node.value("notify").contacts if "notify" in node.settings else ():
            if name not in people:
                mistakes.add(node.line_of("notify"), f'there is no contact "{name}"{meant(name, people)}')
        for name in node.value("thresholds", ()):
            if name not in known_sets:
                mistakes.add(node.line_of("thresholds"), f'there is no threshold set "{name}"{meant(name, known_sets)}')


def _check_labels(root: Node, mistakes: Mistakes) -> None:
    """A limit on a log or check that no element names would never be passed, and nobody would notice."""
    known = {
        label: [node.value("name", "") for node in root.walk() if node.tag in tags]
        for label, tags in (("log", ("log", "journal")), ("check", ("check",)))
    }
    for node in root.walk():
        for tag, names in known.items():
            name = node.value(tag, "") if node.tag == "threshold" else ""
            if name and name not in names and not set(name) & set("*?["):
                hint = f"name one with <{tag}>" + (" or <journal>" if tag == "log" else "")
                mistakes.add(node.line_of(tag), f'there is no {tag} "{shortened(name)}"{meant(name, names)}', hint)


def _check_reachable(root: Node, mistakes: Mistakes) -> None:
    """Somebody to tell but no mail server: it would be noticed only when it is needed."""
    if root.one("mail") is not None:
        return
    for node in root.walk():
        told = node.value("notify")
        if node.tag == "contact" or (told and any(each.startswith(MAILTO) for each in told.over(()))):
            line = node.line if node.tag == "contact" else node.line_of("notify")
            mistakes.add(
                line, "somebody is to be told by mail but there is no <mail>", 'add <mail server="…" from="…"/>'
            )
            return

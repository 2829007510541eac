"""Checked nodes to the frozen Config: the parts of the poller itself, then references between them, then the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from poller.config import (
    archive,
    channels,
    contacts,
    defaults,
    downtimes,
    escalation,
    journal,
    limits,
    own,
    rules,
    sources,
    watch,
)
from poller.config.hosts import Fleet, Level, inherited
from poller.config.limits import Limit
from poller.config.mistakes import Mistakes, meant
from poller.config.place import Place
from poller.config.structure import Node
from poller.model import POLLER, Config, Contact, Retention


def build(root: Node, path: Path, place: Place, mistakes: Mistakes) -> Config:
    """The configuration; what is wrong with it is in `mistakes`."""
    ways = channels.channels(root, mistakes)
    people = contacts.contacts(root, ways, mistakes)
    sets, rule_sets = _sets(root, mistakes)
    mail = channels.mail(root, mistakes)
    _check_references(root, people, sets, mistakes)
    sources.check(root, mistakes)
    contacts.check_reachable(root, mistakes)
    own.check(root, mistakes)
    journal.check(root, mistakes)
    fleet = Fleet(sets, rule_sets, place, mistakes)
    fleet.read(root, _top(root, mistakes))
    delivery, daemon = root.one("delivery"), root.one("daemon")
    node, poll = journal.own(root), root.one("poll")
    database = (node.value("path") if node else None) or place.state / "poller.db"
    return Config(
        path=path.absolute(),
        journal=database,
        journal_bound=node.value("bound", 1 << 30) if node else 1 << 30,
        archive=archive.build(root, database, mistakes),
        hosts=tuple(fleet.hosts),
        thresholds=own.thresholds(root, sets, fleet.hosts, escalation.read(root, mistakes)),
        at_once=poll.value("at-once", 200) if poll else 200,
        retention=_retention(root),
        mail=mail,
        contacts=people,
        channels=ways,
        downtimes=downtimes.downtimes(root, fleet.hosts, mistakes),
        heartbeat=channels.heartbeat(root),
        group_wait=delivery.value("wait", 30.0) if delivery else 30.0,
        group_interval=delivery.value("interval", 300.0) if delivery else 300.0,
        processes=daemon.value("processes", 1) if daemon else 1,
        socket=daemon.value("socket") if daemon else None,
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
    return Level(
        settings,
        top_rules=rules.read(root, mistakes),
        again=escalation.read(root, mistakes),
        escalated=root.first_line("escalate"),
        watched=(watched,) if watched else (),
        notify=told.over(()) if told else (),
    )


def _sets(root: Node, mistakes: Mistakes) -> tuple[dict[str, Sequence[Limit]], dict[str, rules.Layer]]:
    """The limits and the rules of each set."""
    sets: dict[str, Sequence[Limit]] = {}
    ruled: dict[str, rules.Layer] = {}
    lines: dict[str, int] = {}
    for node in root.each("thresholds"):
        name = node.value("name")
        found, written = limits.read(node, mistakes), rules.read(node, mistakes)
        if name in sets:
            mistakes.add(node.line, f'threshold set "{name}" stands twice; the first is in line {lines[name]}')
        elif name is not None:
            sets[name], ruled[name], lines[name] = found, written, node.line
    return sets, ruled


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

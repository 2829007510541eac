"""What is watched on a host: the elements of `WATCHED` on <poller>, <group> and <host>, merged to its Watch.

Lists add up from the outside in. Of logs and of checks with one name, and of what is said about one section, the
nearest wins. What thresholds and rules name without wildcards is asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from poller.config import journal, mentions
from poller.config.mistakes import Mistakes
from poller.config.structure import Node
from poller.config.watch_values import ANYWHERE
from poller.model import AnyRule, CheckCommand, LogFile, LogJournal, NetworkAllow, Redaction, UsbAllow, Watch


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that an element says: a `value` for the field of Watch.

    Of items with the same `what` and `name` the nearest wins; without a name all of them count.
    """

    field: str
    what: str
    name: str
    value: Any
    line: int

    @property
    def shown(self) -> str:
        """As `poller config show` lists it."""
        return f"{self.what} {self.name}".rstrip()


Layer = tuple[Item, ...]


def read(node: Node, mistakes: Mistakes) -> Layer:
    """What <poller>, <group> or <host> says itself. What is said twice in one place is noted."""
    found = [item for child in node.children if child.tag in _READERS for item in _READERS[child.tag](child, mistakes)]
    first: dict[tuple[str, str], int] = {}
    for item in found:
        key = item.what, item.name
        if item.name and key in first:
            mistakes.add(
                item.line, f'{item.what} "{item.name}" stands twice in <{node.tag}>; the first is in line {first[key]}'
            )
        first.setdefault(key, item.line)
    return tuple(found)


def merged(layers: Iterable[Layer]) -> Layer:
    """The items in force, outermost first."""
    items = [item for layer in layers for item in layer]
    nearest = {(item.what, item.name): item for item in items}
    return tuple(item for item in items if not item.name or nearest[item.what, item.name] is item)


def build(items: Layer, named: Mapping[str, Any]) -> Watch:
    """The Watch of a host with these items, and with what is asked for by name."""
    values: dict[str, list[Any]] = {}
    for item in items:
        values.setdefault(item.field, []).append(item.value)
    every = MappingProxyType(dict(values.pop("every", ())))
    fields: dict[str, Any] = {
        name: found[-1] if name in _SINGLE else tuple(dict.fromkeys(found)) for name, found in values.items()
    }
    return Watch(every=every, **fields, **named)


_SINGLE: Final = frozenset({"top", "commands", "traffic", "traffic_seconds"})


def asked(judged: Sequence[AnyRule]) -> Mapping[str, Any]:
    """What limits and rules name, as fields of Watch: what is not there cannot be listed, it is asked for by name."""
    named: dict[str, list[str]] = {"process.count": [], "unit.active": [], "port.listening": []}
    for rule in judged:
        for mention in mentions.of(rule):
            if mention.name in named:
                named[mention.name] += mention.exact
    processes, units, ports = (tuple(dict.fromkeys(names)) for names in named.values())
    return {
        "processes": processes,
        "units": units,
        "ports": tuple(int(port) for port in ports if port.isdigit()),
        "udp_ports": tuple(int(port[4:]) for port in ports if port.startswith("udp/")),
    }


def _collect(node: Node, mistakes: Mistakes) -> Iterator[Item]:
    sections = node.value("section", ())
    if "every" in node.settings:
        for section in sections:
            yield Item("every", "section", section, (section, node.value("every")), node.line)
    for name, field in (("source", "traffic"), ("seconds", "traffic_seconds")):
        if name in node.settings and "traffic" in sections:
            yield Item(field, "traffic", name, node.value(name), node.line)
        elif name in node.settings and sections:
            mistakes.add(node.line_of(name), f"{name}= is about the section traffic alone", 'write section="traffic"')


def _usb_allow(node: Node, _: Mistakes) -> Iterator[Item]:
    said = {name: setting.value for name, setting in node.settings.items()}
    if said:
        yield Item("usb_allow", "usb-allow", "", UsbAllow(**said), node.line)


def _network_allow(node: Node, _: Mistakes) -> Iterator[Item]:
    if node.settings:
        for network in [node.value("to")] if "to" in node.settings else ANYWHERE:
            allowed = NetworkAllow(network, node.value("port", 0), node.value("proto", ""))
            yield Item("network_allow", "network-allow", "", allowed, node.line)


def _log(node: Node, _: Mistakes) -> Iterator[Item]:
    name, path = node.value("name"), node.value("path")
    if name and path:
        yield Item("logs", "log", name, LogFile(name, path, node.value("start", False)), node.line)


def _journal(node: Node, _: Mistakes) -> Iterator[Item]:
    """As a log source: it shares its names with <log>."""
    name = node.value("name")
    if name and journal.is_source(node):
        source = LogJournal(name, node.value("unit", ""), node.value("identifier", ""), node.value("start", False))
        yield Item("journals", "log", name, source, node.line)


def _check(node: Node, _: Mistakes) -> Iterator[Item]:
    name, words = node.value("name"), node.value("command")
    if name and words:
        yield Item("checks", "check", name, CheckCommand(name, words, node.value("timeout", 10.0)), node.line)


def _redact(node: Node, _: Mistakes) -> Iterator[Item]:
    if "pattern" in node.settings:
        value = Redaction(**{name: setting.value for name, setting in node.settings.items()})
        yield Item("redactions", "redact", "", value, node.line)


def _processes(node: Node, _: Mistakes) -> Iterator[Item]:
    for name in ("top", "commands"):
        if name in node.settings:
            yield Item(name, "processes", name, node.value(name), node.line)


def _listed(tag: str, field: str, attribute: str) -> Callable[[Node, Mistakes], Iterator[Item]]:
    """Reads an element that is one text."""

    def read(node: Node, _: Mistakes) -> Iterator[Item]:
        if attribute in node.settings:
            yield Item(field, tag, "", node.value(attribute), node.line)

    return read


_READERS: Final[Mapping[str, Callable[[Node, Mistakes], Iterator[Item]]]] = {
    "collect": _collect,
    "usb-allow": _usb_allow,
    "network-allow": _network_allow,
    "lan": _listed("lan", "lans", "network"),
    "log": _log,
    "journal": _journal,
    "check": _check,
    "textfile": _listed("textfile", "textfiles", "path"),
    "redact": _redact,
    "processes": _processes,
}

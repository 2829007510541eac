"""An Ansible inventory's groups and hosts, whichever notation it was written in, as an Inventory.

Ansible lets a host be in many groups and groups be nested; here a host has one group and any number of tags. So it goes
into the first group that lists it, and every other group it belongs to, parents included, becomes a tag.
Source: docs.ansible.com, "How to build your inventory" and "Connecting to hosts: behavioral inventory parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from poller.config.imports import carry
from poller.config.imports.carry import Variable
from poller.config.imports.checked import checked
from poller.config.imports.inventory import ImportedHost, Inventory, Note
from poller.config.imports.render import name_of
from poller.model import MOST_HOSTS

UNGROUPED: Final = ("all", "ungrouped")
_RANGE = re.compile(r"\[([0-9A-Za-z]*):([0-9A-Za-z]+)(?::([0-9]+))?\]")


@dataclass(slots=True)
class Group:
    """A group while it is being read. Hosts are as written, ranges and all, with their own variables."""

    hosts: dict[str, dict[str, Variable]] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def add(self, host: str, line: int) -> dict[str, Variable]:
        """The host's own variables, to be filled."""
        self.lines.setdefault(host, line)
        return self.hosts.setdefault(host, {})


Groups = dict[str, Group]


def inventory(groups: Groups, notes: list[Note]) -> Inventory:
    """The hosts of all groups, each once. Adds to `notes` what could not be carried over."""
    of_host: dict[str, list[str]] = {}
    for group, content in groups.items():
        for host in content.hosts:
            of_host.setdefault(host, []).append(group)
    hosts = [imported for host, direct in of_host.items() for imported in _host(host, direct, groups, notes)]
    return Inventory(tuple(hosts), tuple(sorted(set(notes), key=lambda note: (note.line, note.sentence))))


def _host(host: str, direct: list[str], groups: Groups, notes: list[Note]) -> Iterator[ImportedHost]:
    lineage = _lineage(direct, groups)
    variables: dict[str, Variable] = {}
    for group in reversed(lineage):
        variables |= groups[group].variables
    for group in direct:
        variables |= groups[group].hosts[host]
    home = next((group for group in direct if group not in UNGROUPED), "")
    tags = tuple(name_of(group) for group in lineage if group not in (home, *UNGROUPED))
    settings = carry.settings(variables, notes)
    if settings is None:
        return
    pattern, port = _port(host)
    for name in hostnames(pattern):
        shown = range_name(name)
        placed = dict(port) | ({"address": name} if shown != name else {}) | settings
        line = groups[direct[0]].lines[host]
        imported = checked(ImportedHost(shown, name_of(home) if home else "", tags, placed), line, notes)
        if imported:
            yield imported


def _lineage(direct: list[str], groups: Groups) -> list[str]:
    """The groups a host is in, the nearest first: those that list it, their parents, ..., and `all` last."""
    found = [group for group in direct if group != "all"]
    for group in found:  # grows while it is walked
        found += [parent for parent, its in groups.items() if group in its.children and parent not in (*found, "all")]
    return [*dict.fromkeys(found), *(["all"] if "all" in groups else [])]


def _port(host: str) -> tuple[str, Mapping[str, str]]:
    """Ansible still takes `name:port`."""
    match = re.fullmatch(r"([^:]+(?:\[[^\]]*\][^:]*)*):([0-9]{1,5})", host)
    return (match[1], {"port": match[2]}) if match else (host, {})


def hostnames(pattern: str) -> Iterator[str]:
    """Ansible's ranges as ours: `[01:10]` is `[01-10]`, a step is a list; letters become hosts of their own."""
    match = _RANGE.search(pattern)
    if match is None:
        yield pattern
        return
    before, after = pattern[: match.start()], pattern[match.end() :]
    first, last, step = match[1] or "0", match[2], int(match[3] or 1)
    for rest in hostnames(after):
        if first.isdigit() and last.isdigit():
            yield f"{before}[{_numbers(first, last, step)}]{rest}"
        elif len(first) == len(last) == 1 and step:
            yield from (f"{before}{chr(code)}{rest}" for code in range(ord(first), ord(last) + 1, step))
        else:
            yield f"{before}{match[0]}{rest}"


def _numbers(first: str, last: str, step: int) -> str:
    if step == 1:
        return f"{first}-{last}"
    width = len(first) if first.startswith("0") else 0
    # At most so many as one configuration may hold.
    numbers = range(int(first), int(last) + 1, step or 1)[:MOST_HOSTS]
    return ",".join(f"{number:0{width}d}" for number in numbers)


def range_name(text: str) -> str:
    """The host's name for config.xml; ranges stay as they are."""
    parts = re.split(r"(\[[0-9,-]+\])", text)
    return "".join(part if index % 2 else re.sub(r"[^\w.-]", "_", part) for index, part in enumerate(parts)).lstrip(
        ".-"
    )

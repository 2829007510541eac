"""Ansible inventories in INI notation: `[group]`, `[group:vars]`, `[group:children]`."""

from __future__ import annotations

import re
import shlex

from poller.config.imports.ansible import Group, Groups, inventory
from poller.config.imports.carry import Variable
from poller.config.imports.inventory import Inventory, Note

_SECTION = re.compile(r"\[([^\[\]:\s]+)(?::(vars|children|hosts))?\]\s*(?:[#;].*)?")


def read(text: str) -> Inventory:
    groups: Groups = {}
    notes: list[Note] = []
    group, kind = groups.setdefault("ungrouped", Group()), "hosts"
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        section = _SECTION.fullmatch(line)
        if section:
            group, kind = groups.setdefault(section[1], Group()), section[2] or "hosts"
        elif kind == "vars":
            name, _, value = line.partition("=")
            group.variables[name.strip()] = Variable(_unquoted(value.strip()), number)
        else:
            _entry(line, number, kind, group, groups, notes)
    return inventory(groups, notes)


def _entry(line: str, number: int, kind: str, group: Group, groups: Groups, notes: list[Note]) -> None:
    try:
        name, *pairs = shlex.split(line, comments=True) or [""]
    except ValueError as error:
        notes.append(Note(number, f"the line was left out: {str(error).lower()}"))
        return
    if not name:
        return
    if kind == "children":
        groups.setdefault(name, Group())
        group.children.append(name)
        return
    variables = group.add(name, number)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if equals:
            variables[key] = Variable(value, number)
        else:
            notes.append(Note(number, f"{key} was left out: it is not name=value"))


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value

"""Ansible inventories in YAML: nested mappings of groups with `hosts`, `vars` and `children`.

PyYAML's composer gives nodes with their lines and constructs no objects at all.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from poller.config.imports.ansible import Group, Groups, inventory
from poller.config.imports.carry import Variable
from poller.config.imports.inventory import Inventory, Note
from poller.errors import UsageError

_DEEPEST = 20


def read(text: str) -> Inventory:
    """UsageError when it is not YAML, or not a mapping of groups."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"the inventory is not YAML{line}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"the inventory is not YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise UsageError("the inventory is not a mapping of groups")
    groups: Groups = {}
    notes: list[Note] = []
    for name, node in _items(root):
        _group(name, node, groups, notes, depth=0)
    return inventory(groups, notes)


def _group(name: str, node: yaml.Node, groups: Groups, notes: list[Note], depth: int) -> None:
    group = groups.setdefault(name, Group())
    if depth > _DEEPEST:
        raise UsageError("the inventory's groups are nested too deeply")
    for key, value in _items(node):
        if key == "hosts":
            for host, variables in _items(value):
                group.add(host, variables.start_mark.line + 1).update(_variables(variables))
        elif key == "vars":
            group.variables |= _variables(value)
        elif key == "children":
            for child, content in _items(value):
                group.children.append(child)
                _group(child, content, groups, notes, depth + 1)
        else:
            notes.append(Note(value.start_mark.line + 1, f"{key} in group {name} was left out"))


def _variables(node: yaml.Node) -> dict[str, Variable]:
    """Scalars as they are written; lists and mappings are no connection settings and show as a template would."""
    return {
        key: Variable(str(value.value) if isinstance(value, yaml.ScalarNode) else "{{…}}", value.start_mark.line + 1)
        for key, value in _items(node)
    }


def _items(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """The pairs of a mapping; nothing for an empty value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield str(key.value), value

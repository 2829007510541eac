"""`parent=`: the host through which another is reached. It must be there, and no way may lead back to its begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from poller.config.mistakes import Mistakes, meant
from poller.model import Host

_MEANT: Final = 20


def check(hosts: Sequence[Host], lines: Mapping[str, int], mistakes: Mistakes) -> None:
    """Notes parents that are no hosts, and circles, each once. `lines` says where a host's parent was said."""
    parents = {host.name: host.parent for host in hosts if host.parent}
    names = {host.name for host in hosts}
    told: set[int] = set()
    for name, parent in parents.items():
        if parent == name:
            mistakes.add(lines[name], f'host "{name}" cannot be its own parent')
        elif parent not in names and lines[name] not in told:
            # Of a range the first is enough; to look for what was meant among thousands takes its time.
            suggestion = meant(parent, names) if len(told) < _MEANT else ""
            mistakes.add(lines[name], f'parent="{parent}" is no host of this file{suggestion}')
            told.add(lines[name])
    for circle in _circles(parents):
        shown = " -> ".join([*circle[:8], *(["…"] if len(circle) > 8 else []), circle[0]])
        mistakes.add(max(lines[name] for name in circle), f"parents go in a circle: {shown}")


def _circles(parents: Mapping[str, str]) -> list[list[str]]:
    """Every circle of more than one host, from its first name on."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}
        name = start
        while name in parents and name not in done and name not in way:
            way[name] = None
            name = parents[name]
        if name in way:
            circle = list(way)[list(way).index(name) :]
            if len(circle) > 1:
                first = circle.index(min(circle))
                found.append(circle[first:] + circle[:first])
        done.update(way)
    return found

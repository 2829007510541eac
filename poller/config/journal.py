"""`<journal>`: two things of one name. `path=` and `bound=` are about the poller's own database; `name=`, `unit=`,
`identifier=` and `start=` make it a log source, the systemd journal of a host.
"""

from __future__ import annotations

from typing import Final

from poller.config.mistakes import Mistakes
from poller.config.structure import Node

_OWN: Final = ("path", "bound")
_SOURCE: Final = ("name", "unit", "identifier", "start")


def own(root: Node) -> Node | None:
    """The element that is about the poller's own database."""
    return next((node for node in root.each("journal") if _is_own(node)), None)


def is_source(node: Node) -> bool:
    return bool(node.named & set(_SOURCE))


def _is_own(node: Node) -> bool:
    return not is_source(node)


def check(root: Node, mistakes: Mistakes) -> None:
    """Notes mixtures, what stands where it cannot, and a second database."""
    first: Node | None = None
    for parent in root.walk():
        for node in parent.each("journal"):
            if is_source(node):
                _check_source(node, mistakes)
            elif parent is not root:
                mistakes.add(
                    node.line,
                    f"the poller's own <journal> cannot stand inside <{parent.tag}>",
                    "put it right inside <poller>; the journal of a host is <journal name=… unit=…/>",
                )
            elif first is not None:
                mistakes.add(node.line, f"<journal> stands twice; the first is in line {first.line}",
                             "one that names the journal of hosts has name=")  # fmt: skip
            else:
                first = node


def _check_source(node: Node, mistakes: Mistakes) -> None:
    mixed = [name for name in _OWN if name in node.named]
    for name in mixed:
        other = next(each for each in _SOURCE if each in node.named)
        mistakes.add(
            node.line_of(name),
            f"<journal> has both {name}= and {other}=, which are about different journals",
            "path= and bound= are about the poller's own database, name= unit= identifier= start= "
            "about the systemd journal of hosts: write two elements",
        )
    if not mixed and "name" not in node.named:
        mistakes.add(node.line, "<journal> needs name=")

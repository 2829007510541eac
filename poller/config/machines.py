"""Which machines a `<host>` stands for: names, addresses and parents, their ranges expanded in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from poller.config import ranges, values
from poller.config.mistakes import Mistakes, WrongError, shortened
from poller.config.structure import Node, Setting


def named(node: Node, above: Setting | None, mistakes: Mistakes) -> Iterator[tuple[str, str, str]]:
    """Name, address and parent ("": none) of each. `above` is the parent= in force, of the host or its group."""
    name, address = node.settings.get("name"), node.settings.get("address")
    names = _expanded("name", name, values.name, mistakes) if name else ()
    if name is None or not names:
        return
    step = _Step(name, len(names), mistakes)
    addresses = step.expanded("address", address, values.address) if address else names
    parents = step.expanded("parent", above, values.name) if above else ("",) * len(names)
    for one, place, parent in zip(names, addresses, parents, strict=False):
        # A group may name as parent one of its own hosts: that one has none then.
        yield one, place, "" if parent == one and "parent" not in node.settings else parent


class _Step:
    """Expands what goes in step with so many names."""

    def __init__(self, name: Setting, many: int, mistakes: Mistakes) -> None:
        self.name, self.many, self.mistakes = name, many, mistakes

    def expanded(self, attribute: str, setting: Setting, check: Callable[[str], str]) -> Sequence[str]:
        """As many as there are names: those of a range, or the one for all. None when something is wrong."""
        found = _expanded(attribute, setting, check, self.mistakes)
        if found and not ranges.has_range(setting.value):
            return found * self.many
        if found and len(found) != self.many:
            self.mistakes.add(
                setting.line,
                f'name="{shortened(self.name.raw)}" stands for {_hosts(self.many)} but '
                f'{attribute}="{shortened(setting.raw)}" for {len(found)}',
            )
            return ()
        return found


def _expanded(attribute: str, setting: Setting, check: Callable[[str], str], mistakes: Mistakes) -> tuple[str, ...]:
    try:
        return tuple(check(text) for text in ranges.expand(setting.value))
    except WrongError as wrong:
        mistakes.add(setting.line, f'{attribute}="{shortened(setting.raw)}" {wrong.predicate}', wrong.hint)
        return ()


def _hosts(number: int) -> str:
    return f"{number} host{'' if number == 1 else 's'}"

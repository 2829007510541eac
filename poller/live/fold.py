"""What belongs together is one event: the device, its disk, what is mounted from it, within a second of the first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from poller.findings.told import MOST, Told, cut
from poller.live.difference import Difference
from poller.model import Event, Hint, Severity, Sighted

# Seconds from the first part of an event to the last.
WINDOW: Final = 1.0
_GOES: Final = frozenset({"usb_removed", "device_removed", "unmounted"})
# What such an event is called by: the first of these that is among its parts.
_RANKS: Final = ("usb_", "devi", "moun", "unmo", "remo")
_PORT: Final = re.compile(r"\d+-\d+(?:\.\d+)*")
# Paths of the kernel for what has no hardware of its own.
_VIRTUAL: Final = "/devices/virtual/"


@dataclass(slots=True)
class _Group:
    """`names` are all by which its parts are known; without parts it is only announced by the kernel."""

    id: str
    began: float
    at_ms: int
    goes: bool
    names: set[str]
    announced: str = ""
    parts: list[Told] = field(default_factory=list)
    more: int = 0

    def event(self) -> Event:
        if not self.parts:
            kind = "usb_removed" if self.goes else "usb_attached"
            return Event(kind, self.at_ms, Severity.LOW, f"{self.announced}: being read")
        parts = sorted(self.parts, key=lambda part: _RANKS.index(part.kind[:4]))
        severity = max(part.severity for part in parts)
        if self.more:
            return Event(parts[0].kind, self.at_ms, severity, f"and {self.more} more at the same time")
        return Event(parts[0].kind, self.at_ms, severity, cut("; ".join(part.details for part in parts)))

    def hears(self, told: Told) -> bool:
        """Whether it is part of this."""
        return self.goes is goes(told.kind) and not self.more and not self.names.isdisjoint(told.about)

    def add(self, told: Told, now: float) -> None:
        if not self.parts:
            self.began = now
        self.parts.append(told)
        self.names.update(told.about)


def goes(kind: str) -> bool:
    """Whether an event of that kind tells of something that is gone."""
    return kind in _GOES


class Fold:
    """Of one host. Instants `now` are seconds of the monotonic clock."""

    def __init__(self, host: str, new_id: Callable[[], str]) -> None:
        self._host = host
        self._new_id = new_id
        self._groups: list[_Group] = []

    def __bool__(self) -> bool:
        return bool(self._groups)

    @property
    def next(self) -> float:
        """When the first of them is whole."""
        return min((group.began for group in self._groups), default=math.inf) + WINDOW

    def hint(self, hint: Hint, at_ms: int, now: float) -> Sighted | None:
        """The kernel announces something: one line for each device, until it is read."""
        names = _names(hint)
        leaves = hint.action == "remove"
        known = any(group.goes is leaves and not group.names.isdisjoint(names) for group in self._groups)
        if not names or known or hint.action not in ("add", "remove") or len(self._groups) >= MOST:
            return None
        what = f"USB device at port {names[0]}" if _PORT.fullmatch(names[0]) else f"disk {names[0]}"
        words = f"{what} is gone" if leaves else what
        group = _Group(self._new_id(), now, at_ms, leaves, set(names), words)
        self._groups.append(group)
        return Sighted(group.id, self._host, group.event())

    def contradicts(self, told: Iterable[Told]) -> bool:
        """Whether something goes that has just come, or comes again: what was, is to be stored first."""
        return any(
            group.parts and group.goes is not goes(one.kind) and not group.names.isdisjoint(one.about)
            for one in told
            for group in self._groups
        )

    def take(self, found: Difference, at_ms: int, now: float) -> tuple[Sighted, ...]:
        """Events that began or have grown."""
        touched: dict[str, _Group] = {}
        for one in found.grown:
            for group in self._groups:
                if self._grow(group, one):
                    touched[group.id] = group
        for one in found.told:
            group = self._joined(one, at_ms, now)
            touched[group.id] = group
        return tuple(Sighted(group.id, self._host, group.event()) for group in touched.values())

    def _grow(self, group: _Group, now: Told) -> bool:
        for number, part in enumerate(group.parts):
            if part.kind == now.kind and part.about[:1] == now.about[:1]:
                group.parts[number] = replace(now, severity=max(part.severity, now.severity))
                group.names.update(now.about)
                return True
        return False

    def _joined(self, one: Told, at_ms: int, now: float) -> _Group:
        """The event it is part of; a new one where it is the first."""
        for group in self._groups:
            if group.hears(one):
                group.add(one, now)
                return group
        if len(self._groups) >= MOST:
            return self._crowded(one, at_ms, now)
        group = _Group(self._new_id(), now, at_ms, goes(one.kind), set())
        group.add(one, now)
        self._groups.append(group)
        return group

    def _crowded(self, one: Told, at_ms: int, now: float) -> _Group:
        """Too much at once: one event for each kind counts the rest."""
        for group in self._groups:
            if group.more and group.parts[0].kind == one.kind:
                group.more += 1
                return group
        group = _Group(self._new_id(), now, at_ms, goes(one.kind), set(), parts=[one], more=1)
        self._groups.append(group)
        return group

    def whole(self, now: float = math.inf) -> tuple[Sighted, ...]:
        """Events that do not grow any more; by default all. They stay until they are dropped."""
        ripe = (group for group in self._groups if group.parts and group.began + WINDOW <= now)
        return tuple(Sighted(group.id, self._host, group.event(), stored=True) for group in ripe)

    def unread(self, now: float) -> tuple[Sighted, ...]:
        """What was announced, and nothing was found."""
        late = [group for group in self._groups if not group.parts and group.began + WINDOW <= now]
        self.drop({group.id for group in late})
        told = (Event(one.event().kind, one.at_ms, Severity.LOW, f"{one.announced}, nothing to read") for one in late)
        return tuple(Sighted(group.id, self._host, event) for group, event in zip(late, told, strict=True))

    def drop(self, ids: Collection[str]) -> None:
        """These are stored."""
        self._groups = [group for group in self._groups if group.id not in ids]


def _names(hint: Hint) -> tuple[str, ...]:
    """The USB port, also of a disk behind one; else the disk itself. Interfaces and partitions belong to those, and
    what is virtual (an image, a snapshot, memory) is nothing that came.
    """
    if ":" in hint.name or hint.path.startswith(_VIRTUAL):
        return ()
    if hint.subsystem == "usb":
        return (hint.name,) if _PORT.fullmatch(hint.name) else ()
    ports = [part for part in hint.path.split("/") if _PORT.fullmatch(part)]
    if ports:
        return (ports[-1], hint.name)
    disk = hint.path.rstrip("/").split("/")[-2:-1] == ["block"]
    return (hint.name,) if hint.name and disk else ()

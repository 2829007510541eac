"""Whom a host begins to talk with: who of them is told, in which words, and not again for a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from poller.findings.scope import Scope
from poller.model import Encounter, Event, Severity, Sighted

# Seconds in which the same peer is counted and not told again.
QUIET: Final = 60.0
# So many peers of one host have an event of their own in that time; all others are one event that counts them. Those
# that people are told of and those that nobody is told of are counted apart: the internet hides no neighbour.
_MOST: Final = 100
# Whether people are told of it, the protocol, whether it is inbound, peer and port.
_Key = tuple[bool, str, bool, str, int]
_CROWDS: Final[Mapping[bool, _Key]] = {told: (told, "", False, "", 0) for told in (True, False)}


@dataclass(slots=True)
class _Known:
    """`began` is an instant of the monotonic clock, `at_ms` the same one by the wall clock."""

    id: str
    began: float
    at_ms: int
    words: str
    told: bool
    times: int = 1
    missed: int = 0

    def event(self) -> Event:
        often = f" ({self.times} times)" if self.times > 1 else ""
        before = f", {self.missed} more since it was told last" if self.missed else ""
        return Event("encounter", self.at_ms, self.severity, f"{self.words}{before}{often}")

    @property
    def severity(self) -> Severity:
        return Severity.MEDIUM if self.told else Severity.LOW


@dataclass(frozen=True, slots=True)
class Met:
    """One encounter as it is shown. `first`: it is to be stored; `told`: people are told of it at all."""

    sighted: Sighted
    told: bool
    first: bool


class Contacts:
    """Of one host."""

    def __init__(self, host: str, new_id: Callable[[], str]) -> None:
        self._host = host
        self._new_id = new_id
        self._known: dict[bool, dict[_Key, _Known]] = {True: {}, False: {}}  # those that are told, and the others

    def take(self, encounters: Iterable[Encounter], scope: Scope, at_ms: int, now: float) -> tuple[Met, ...]:
        """One for each peer, port and direction; what stays within the machine is left out."""
        found: dict[_Key, Met] = {}
        for one in encounters:
            place = scope.place(one.remote_address)
            if place != "loopback":
                key, met = self._meet(one, place, scope, at_ms, now)
                first = met.first or (key in found and found[key].first)
                found[key] = Met(met.sighted, met.told, first)
        return tuple(found.values())

    def newest(self, number: str) -> Event | None:
        """How the event of that id reads now."""
        all_known = (known for some in self._known.values() for known in some.values())
        return next((known.event() for known in all_known if known.id == number), None)

    def _meet(self, one: Encounter, place: str, scope: Scope, at_ms: int, now: float) -> tuple[_Key, Met]:
        port = one.local_port if one.inbound else one.remote_port
        told = _is_told(one.remote_address, port, one.protocol, place, scope)
        key: _Key = (told, one.protocol, bool(one.inbound), one.remote_address, port)
        if key not in self._known[told] and self._crowded(told, now):
            key = _CROWDS[told]
        known = self._known[told].get(key)
        if known is not None and now - known.began < QUIET:
            known.times += 1
            return key, Met(Sighted(known.id, self._host, known.event()), known.told, first=False)
        words = "more peers within a minute" if key == _CROWDS[told] else _words(one, port, place, scope)
        missed = known.times - 1 if known is not None and now - known.began < 2 * QUIET else 0
        new = self._known[told][key] = _Known(self._new_id(), now, at_ms, words, told, missed=missed)
        return key, Met(Sighted(new.id, self._host, new.event()), told, first=True)

    def _crowded(self, told: bool, now: float) -> bool:
        known = self._known[told]
        if len(known) < _MOST:
            return False
        self._known[told] = lately = {key: one for key, one in known.items() if now - one.began < QUIET}
        return len(lately) >= _MOST


def _is_told(peer: str, port: int, protocol: str, place: str, scope: Scope) -> bool:
    """With a list: whoever is not on it. Without one: whoever is near."""
    if scope.is_group(peer) or scope.lists(peer, port, protocol):
        return False
    return bool(scope.allowed) or place == "local"


def _words(one: Encounter, port: int, place: str, scope: Scope) -> str:
    where = "local network" if place == "local" else place
    if scope.allowed:
        listed = scope.lists(one.remote_address, port, one.protocol)
        where += ", listed" if listed else ", unlisted"
    address = f"[{one.remote_address}]" if ":" in one.remote_address else one.remote_address
    if one.inbound:
        return f"{one.protocol} from {address} to port {port} ({where})"
    return f"{one.protocol} to {address}:{port} ({where})"

"""What a watcher has before his eyes: how each host looks, what happened last, and how well all of it can be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from poller.cli.settings import counted
from poller.model import Light, Seat, Severity, Sighted

if TYPE_CHECKING:
    from poller.live.document import Shown

# Events that are kept to be shown.
_MOST: Final = 500
# What a host says of how it sees devices, mounts and contacts (in this order), in the words of people.
_COVERAGE: Final = {
    (0, "uevent"): "devices at once (uevent)",
    (0, "set-difference"): "devices by set-difference each half second",
    (0, "none"): "devices not seen",
    (1, "mountinfo"): "mounts at once (mountinfo)",
    (1, "set-difference"): "mounts by set-difference each half second",
    (1, "none"): "mounts not seen",
    (2, "packet"): "contacts at once (packet)",
    (2, "sock_diag"): "contacts by sock_diag each second",
    (2, "none"): "contacts not seen",
}


class Picture:
    """`take` says whether what came is to be shown. `everything`: also contacts that nobody is told of."""

    def __init__(self, hosts: Sequence[str], *, everything: bool) -> None:
        self.source = ""
        self.seats: dict[str, Seat] = {name: Seat(name, Light.WAITING, 0) for name in hosts}
        self.events: dict[str, Sighted] = {}
        self.finished = 0
        self._everything = everything
        self._counted: set[str] = set()

    def take(self, one: Shown) -> bool:
        if isinstance(one, Seat):
            self.seats[one.host] = one
            return True
        if not self._everything and one.event.kind == "encounter" and one.event.severity is Severity.LOW:
            return False
        self.events[one.id] = one
        if len(self.events) > _MOST:
            oldest = next(iter(self.events))
            del self.events[oldest]
            self._counted.discard(oldest)
        if (one.stored or one.event.kind == "encounter") and one.id not in self._counted:
            self._counted.add(one.id)
            self.finished += 1
        return True

    def counts(self) -> dict[Light, int]:
        """How many hosts look how, all kinds, in their order."""
        found = Counter(seat.light for seat in self.seats.values())
        return {light: found[light] for light in Light}

    def coverage(self) -> list[str]:
        """`3 hosts: contacts by sock_diag each second`; of each thing the best first, then why less is seen."""
        words = Counter(word for seat in self.seats.values() for word in enumerate(seat.coverage))
        known = [f"{counted(words[word], 'host')}: {said}" for word, said in _COVERAGE.items() if words[word]]
        others = Counter({word: count for word, count in words.items() if word not in _COVERAGE})
        return known + [f"{counted(count, 'host')}: {said}" for (_, said), count in sorted(others.items())]

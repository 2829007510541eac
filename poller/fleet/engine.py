"""What polls a fleet that stays, as those see it who use it: hosts go in, polls, pushes and states come out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from poller.model import Arrivals, Before, Host, LinkState


class Engine(Protocol):
    """All methods are called by one thread, none of them waits for a host but `take` and `stop`.

    `befores` are by name; who has none there is new. After a poll came out of `take`, its host is polled again only
    once `know` was called for it.
    """

    def start(self, hosts: Sequence[Host], befores: Mapping[str, Before]) -> None:
        """Begins with these hosts. Called once."""

    def change(self, hosts: Sequence[Host], befores: Mapping[str, Before]) -> None:
        """These are the hosts from now on: others end, new ones begin, changed ones reconnect, the rest goes on."""

    def know(self, befores: Mapping[str, Before]) -> None:
        """What is remembered of hosts now that their polls are stored. Others may poll them from here on."""

    def poll_now(self, hosts: Collection[str], *, at_any_rate: bool = False) -> None:
        """At once, or as soon as the poll that is going on is stored. `at_any_rate`: also when logins are refused."""

    def watch(self, hosts: Collection[str]) -> None:
        """Exactly these hosts are watched live from now on, those of config.xml (`Host.live`) among them or not."""

    def take(self, seconds: float, most: int = 200) -> Arrivals:
        """What came, after waiting for the first of it at most so long.

        Polls wait for company a moment, pushes and states do not: with any of them it returns at once, and gives what
        polls there are. An empty one: nothing came in time.
        """

    def links(self) -> Mapping[str, LinkState]:
        """How every host stands, by name."""

    def stop(self, seconds: float) -> Arrivals:
        """Begins no poll any more, gives those that finish within `seconds`, and closes everything. Called once."""

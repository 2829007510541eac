"""One turn of whoever polls and watches: what came from the hosts -> shown at once -> stored -> hosts are asked on.

Both the daemon and `poller watch` on its own go round by this; it belongs to the thread that owns the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from poller.daemon.keeping import Keeping
from poller.fleet.engine import Engine
from poller.intake import Taken
from poller.live.document import Shown
from poller.model import Arrivals
from poller.noticing import Noticing


class Attending:
    """`show` is given what people see, as soon as it is known: events (again when they have grown, and when they are
    stored) and hosts that look another way."""

    def __init__(
        self, engine: Engine, keeping: Keeping, noticing: Noticing, show: Callable[[Sequence[Shown]], None]
    ) -> None:
        self._engine = engine
        self._keeping = keeping
        self._noticing = noticing
        self._show = show

    def watch(self, hosts: Collection[str]) -> None:
        """Exactly these are watched live from now on."""
        self._engine.watch(hosts)
        self._noticing.watch(hosts)
        self._show(self._noticing.seats())

    def wait(self, seconds: float) -> Arrivals:
        """What comes from the hosts, after at most so long; sooner when something here is due."""
        return self._engine.take(max(0.0, min(seconds, self._noticing.next())))

    def take(self, arrivals: Arrivals, *, at_any_rate: bool = False) -> tuple[Taken, ...]:
        """The polls that were stored: of these or of an earlier turn. `at_any_rate`: also when that just failed."""
        noticing = self._noticing
        noticing.journal = self._keeping.journal
        self._show((*noticing.take(arrivals.pushes, arrivals.polls, arrivals.links), *noticing.seats()))
        taken = self._keeping.take(arrivals.polls, at_any_rate=at_any_rate)
        noticing.journal = self._keeping.journal
        self._show((*noticing.stored(taken), *noticing.due(), *noticing.seats()))
        if arrivals.polls:
            self._engine.know(self._keeping.befores({poll.host for poll in arrivals.polls}))
        return taken

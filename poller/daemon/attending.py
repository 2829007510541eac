"""One turn of whoever polls and watches: what came from the hosts -> shown at once -> stored -> hosts are asked on.

Both the daemon and `poller watch` on its own go round by this; it belongs to the thread that owns the journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from poller.daemon.keeping import Keeping
from poller.fleet.engine import Engine
from poller.intake import Taken
from poller.live.document import Shown
from poller.live.fold import WINDOW
from poller.model import Arrivals, Sighted
from poller.noticing import Noticing
from poller.noticing.losses import TOGETHER, Losses


class Attending:
    """`show` is given what people see, as soon as it is known: events (again when they have grown, and when they are
    stored) and hosts that look another way. `stored` is called when what a host told by itself was stored: rules that
    look at events have been judged, and somebody may be owed a message.
    """

    def __init__(
        self,
        engine: Engine,
        keeping: Keeping,
        noticing: Noticing,
        show: Callable[[Sequence[Shown]], None],
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._keeping = keeping
        self._noticing = noticing
        self._losses = Losses()
        self._show = show
        self._stored = stored

    def watch(self, hosts: Collection[str]) -> None:
        """Exactly these are watched live from now on."""
        self._engine.watch(hosts)
        self._noticing.watch(hosts)
        self._losses.watch(hosts)
        self._show(self._noticing.seats())

    def wait(self, seconds: float) -> Arrivals:
        """What comes from the hosts, after at most so long; sooner when something here is due."""
        return self._engine.take(max(0.0, min(seconds, self._noticing.next())))

    def take(self, arrivals: Arrivals, *, at_any_rate: bool = False) -> tuple[Taken, ...]:
        """The polls that were stored: of these or of an earlier turn. `at_any_rate`: also when that just failed."""
        noticing = self._noticing
        noticing.journal = self._keeping.journal
        came = noticing.take(arrivals.pushes, arrivals.polls, arrivals.links)
        self._tell((*came, *self._losses.take(arrivals.pushes)))
        taken = self._keeping.take(arrivals.polls, at_any_rate=at_any_rate)
        noticing.journal = self._keeping.journal
        self._tell((*noticing.stored(taken), *noticing.due(), *self._losses.due(noticing.journal)))
        if arrivals.polls:
            self._engine.know(self._keeping.befores({poll.host for poll in arrivals.polls}))
        return taken

    def finish(self) -> None:
        """Stores what was shown and might still have grown: nothing comes any more."""
        self._noticing.journal = self._keeping.journal
        now = time.monotonic()
        lost = self._losses.due(self._noticing.journal, now + TOGETHER)
        self._tell((*self._noticing.due(now + WINDOW), *lost))

    def _tell(self, sighted: Iterable[Sighted]) -> None:
        news = tuple(sighted)
        self._show((*news, *self._noticing.seats()))
        if any(one.stored for one in news):
            self._stored()

"""Watching without a daemon: the same engine, intake and noticing, for chosen hosts, as long as somebody looks.

Each host is polled at its own interval, stored, judged and told of as ever. Leases keep it and rounds of `poller run`
apart, host by host. A daemon that begins meanwhile holds the same hosts: then this ends.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from poller import round
from poller.clock import now_ms
from poller.daemon.attending import Attending
from poller.daemon.beside import holder
from poller.daemon.duty import Duty
from poller.daemon.keeping import Keeping
from poller.fleet.threads import Threads
from poller.intake import new_id
from poller.live.document import Shown
from poller.model import Config, Host
from poller.noticing import Noticing
from poller.store import Journal

# Seconds of one wait, so that the end is noticed; for polls that are under way at the end; between two deliveries.
_LOOK: Final = 0.2
_FINISH: Final = 0.5
_TELL: Final = 5.0


def watch(
    config: Config, hosts: Sequence[Host], show: Callable[[Sequence[Shown]], None], stop: threading.Event
) -> None:
    """Until `stop` is set or a daemon is at work, in the calling thread, which owns the journal. StoreError."""
    round_id, names = new_id(), [host.name for host in hosts]
    keeping = Keeping(config, round_id)
    telling = Duty("telling", config.journal, lambda journal, end: _tell(config, journal, end))
    outcomes: Counter[str] = Counter()
    try:
        with keeping.journal.transaction() as work:
            work.begin_round(round_id, "selected", now_ms(), len(hosts))
        engine = Threads(config)
        attending = Attending(engine, keeping, Noticing(keeping.journal, config), show)
        try:
            engine.start(hosts, keeping.befores(names))
            attending.watch(names)
            while not (stop.is_set() or holder(config.journal)):
                taken = attending.take(attending.wait(_LOOK))
                outcomes.update(str(one.poll.outcome) for one in taken)
                if config.mail is not None or config.channels:
                    telling.tend()
        finally:
            telling.stop()
            taken = attending.take(engine.stop(_FINISH), at_any_rate=True)
            attending.finish()
            outcomes.update(str(one.poll.outcome) for one in taken)
            telling.join(_FINISH)
        with keeping.journal.transaction() as work:
            work.end_round(round_id, now_ms(), outcomes)
    finally:
        keeping.close()


def _tell(config: Config, journal: Journal, stop: threading.Event) -> float:
    round.tell(journal, config, stop, wait=config.group_wait, interval=config.group_interval)
    return _TELL

"""WHO IS TOLD NOW: reminders and escalations that are due, what may be sent and what has to wait, and the sending.

What was owed before comes from the journal, and everything decided here goes there before anything else happens: a
poller that dies on the way tells twice at worst, with the same id.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from poller.clock import now_ms
from poller.errors import StoreError
from poller.intake import new_id
from poller.model import Config
from poller.notify import Delivery, deliver
from poller.notify.due import Moment, due, nudges
from poller.notify.grouping import Grouping
from poller.notify.quiet import quiet
from poller.store import Journal


def tell(
    journal: Journal, config: Config, stop: threading.Event, *, wait: float = 0.0, interval: float = 0.0
) -> Delivery:
    """One pass over all that people are owed, until `stop` is set. A channel that is away is no error. StoreError.

    `wait` and `interval` (seconds) are what a daemon collects for; with 0 the round is the group, and every pass
    tries everything again.
    """
    at_ms = now_ms()
    try:
        reasons = nudge(journal, config, at_ms)
    except StoreError as error:
        # A full disk is no reason yet: the journal may have a reserve.
        if not journal.make_room(error):
            raise
        reasons = nudge(journal, config, at_ms)
    outbox = journal.outbox()
    grouping = Grouping(wait, interval, outbox.last_sent()) if wait or interval else Grouping()
    # Here, because a round that has nobody to tell need not wait for the libraries of mail and the like.
    from poller.notify.channels import open_channels

    try:
        with open_channels(config, stop) as channels:
            return deliver(outbox, config, channels, at_ms, grouping=grouping, quiet=reasons)
    finally:
        outbox.close()


def nudge(journal: Journal, config: Config, at_ms: int) -> Mapping[str, str]:
    """Owes the reminders and escalations that are due; returns why open alerts are not nudged about, by id."""
    with journal.transaction() as work:
        alerts = work.open_alerts()
        reasons = quiet(alerts, work.gaps(), config, at_ms) if alerts else {}
        passed_over = {*reasons, *work.acknowledged(at_ms)} if alerts else set()
        nudged = [alert for alert in alerts if alert.id not in passed_over and nudges(alert, config)]
        if nudged:
            notices = work.notified([alert.id for alert in nudged])
            work.enqueue(due(nudged, config, notices, Moment(at_ms), new_id))
    return reasons

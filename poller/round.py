"""THE FLEET, after a round: close what left the configuration, deliver what is owed, forget what is too old."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from poller.alerts import compare
from poller.clock import now_ms
from poller.intake import new_id, owe
from poller.model import Change, Config
from poller.notify import Delivery, deliver
from poller.store import Journal

# Pruning reads indexes of every sample table; once an hour is enough for limits that are days.
_PRUNE_EVERY_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was done for the fleet as a whole."""

    closed: tuple[Change, ...]
    delivery: Delivery | None


def finish(journal: Journal, config: Config, stop: threading.Event) -> Aftermath:
    """Everything that follows a round, until `stop` is set. A dead mail server is not an error: what is owed stays."""
    closed = _close_unconfigured(journal, config)
    delivery = _deliver(journal, config, stop)
    if not stop.is_set() and journal.prune_due(now_ms(), _PRUNE_EVERY_MS):
        journal.prune(config.retention, now_ms())
    return Aftermath(closed, delivery)


def _deliver(journal: Journal, config: Config, stop: threading.Event) -> Delivery | None:
    if config.mail is None:
        return None
    # Here, because a poller that sends no mail need not wait for the libraries of TLS and mail.
    from poller.notify.interruptible import Interruptible
    from poller.notify.smtp import Smtp

    with Interruptible(Smtp(config.mail), stop) as channel:
        return deliver(journal.outbox(), config, channel, now_ms())


def _close_unconfigured(journal: Journal, config: Config) -> tuple[Change, ...]:
    """Alerts of hosts that are no longer in config.xml end with one notice."""
    known = {host.name for host in config.hosts}
    closed: list[Change] = []
    with journal.transaction() as work:
        for name in work.hosts_with_open_alerts():
            if name not in known:
                comparison = compare(name, (), work.alert_memory(name), (), now_ms(), new_id)
                work.store_comparison(name, comparison)
                owe(work, config, comparison.changes)
                closed += comparison.changes
    return tuple(closed)

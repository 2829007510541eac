"""THE FLEET, after a round, top to bottom: close what left the configuration -> whose fault -> tell what is owed ->
names of peers -> ship to the archive -> judge the poller itself (and ship that) -> forget what is too old.

Mail never waits for the archive, and neither is ever a reason that a round has failed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from poller import blame, history, itself, names, telling
from poller.alerts import compare
from poller.clock import now_ms
from poller.intake import new_id, owe
from poller.itself import Round
from poller.model import POLLER, Change, Config
from poller.notify import Delivery
from poller.store import Journal

if TYPE_CHECKING:
    from poller.store.archive import Shipped

# Pruning reads indexes of every sample table; once an hour is enough for limits that are days.
_PRUNE_EVERY_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was done for the fleet as a whole. `own` are changes of the poller's own alerts.

    `shipped` is None without an archive, and when a signal came before its turn.
    """

    closed: tuple[Change, ...]
    own: tuple[Change, ...]
    delivery: Delivery | None
    shipped: Shipped | None = None


def finish(journal: Journal, config: Config, done: Round, stop: threading.Event) -> Aftermath:
    """Everything that follows a round, until `stop` is set. A dead mail server or archive is not an error: what is
    owed to people stays owed, and what the archive does not have yet waits.
    """
    closed = _close_unconfigured(journal, config)
    blamed = blame.settle(journal, config, done)
    delivery = _tell(journal, config, stop)
    if stop.is_set():
        return Aftermath(closed, blamed.changes, delivery)
    names.resolve(journal, stop)
    used = history.used_bytes(journal) if config.archive is not None else 0
    shipped = history.ship(config, stop)
    own = itself.look(journal, config, done, used)
    if own.owed and delivery is not None and not delivery.kept:
        delivery += _tell(journal, config, stop) or Delivery()
    if own.changes and shipped is not None and shipped.away is None and not stop.is_set():
        # Now, or an archive that is back shows for one more interval that it is away.
        later = history.ship(config, stop)
        shipped = shipped if later is None else shipped + later
    if not stop.is_set() and journal.prune_due(now_ms(), _PRUNE_EVERY_MS):
        _prune(journal, config, shipped, stop)
    return Aftermath(closed, blamed.changes + own.changes, delivery, shipped)


def _prune(journal: Journal, config: Config, shipped: Shipped | None, stop: threading.Event) -> None:
    journal.prune(config.retention, now_ms())
    if shipped is not None and shipped.away is None:
        history.trim(config, stop)


def _tell(journal: Journal, config: Config, stop: threading.Event) -> Delivery | None:
    """None where config.xml names no way to tell anybody: what is owed waits until it does."""
    if config.mail is None and not config.channels:
        return None
    return telling.tell(journal, config, stop)


def _close_unconfigured(journal: Journal, config: Config) -> tuple[Change, ...]:
    """Alerts of hosts that are no longer in config.xml end with one notice."""
    known = {POLLER, *(host.name for host in config.hosts)}
    closed: list[Change] = []
    with journal.transaction() as work:
        for name in work.hosts_with_open_alerts():
            if name not in known:
                comparison = compare(name, (), work.alert_memory(name), (), now_ms(), new_id)
                work.store_comparison(name, comparison)
                owe(work, config, comparison.changes)
                closed += comparison.changes
    return tuple(closed)

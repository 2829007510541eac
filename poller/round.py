"""THE FLEET, after a round, top to bottom: close what left the configuration -> whose fault -> tell what is owed ->
names of peers -> ship to the archive -> judge the poller itself (and ship that) -> roll up
what is over -> forget what is too old.

Mail never waits for the archive, and neither is ever a reason that a round has failed. A daemon takes the same steps,
some more often than others, and none of them waits for another (`poller.daemon.duties`).
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
PRUNE_EVERY_MS: Final = 3_600_000
# An archive is asked so often what it has to roll up, and so long a round rolls up at most: the next one goes on.
_ROLL_UP_EVERY_MS: Final = 300_000
_ROLL_UP_SECONDS: Final = 20.0


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
    closed = close_unconfigured(journal, config)
    blamed = blame.settle(journal, config, done)
    delivery = tell(journal, config, stop)
    if stop.is_set():
        return Aftermath(closed, blamed.changes, delivery)
    names.resolve(journal, stop)
    used = used_bytes(journal, config)
    shipped = history.ship(config, stop)
    own = itself.look(journal, config, done, used)
    if own.owed and delivery is not None and not delivery.kept:
        delivery += tell(journal, config, stop) or Delivery()
    if own.changes and shipped is not None and shipped.away is None and not stop.is_set():
        # Now, or an archive that is back shows for one more interval that it is away.
        later = history.ship(config, stop)
        shipped = shipped if later is None else shipped + later
    roll_up(journal, config, stop, shipped)
    if not stop.is_set() and forget(journal, config, stop) and shipped is not None and shipped.away is None:
        history.trim(config, stop)
    return Aftermath(closed, blamed.changes + own.changes, delivery, shipped)


def roll_up(journal: Journal, config: Config, stop: threading.Event, shipped: Shipped | None = None) -> None:
    """Numbers by five minutes and by hours, as far as these are over: in the journal, or, after it was sent all there
    is, in the archive. StoreError for the journal.
    """
    if stop.is_set():
        return
    if config.archive is None:
        journal.roll_up(config.retention, now_ms(), stop, _ROLL_UP_SECONDS)
    elif shipped is not None and shipped.away is None and journal.roll_up_due(now_ms(), _ROLL_UP_EVERY_MS):
        history.roll_up(config, stop)


def forget(journal: Journal, config: Config, stop: threading.Event | None = None) -> bool:
    """Prunes the journal once an hour, and on a full disk. Whether it was time to. StoreError."""
    if not journal.prune_due(now_ms(), PRUNE_EVERY_MS):
        return False
    journal.prune(config.retention, now_ms(), stop)
    return True


def used_bytes(journal: Journal, config: Config) -> int:
    """What the journal takes of its bound; 0 without an archive, when nothing bounds it."""
    return history.used_bytes(journal) if config.archive is not None else 0


def tell(
    journal: Journal, config: Config, stop: threading.Event, *, wait: float = 0.0, interval: float = 0.0
) -> Delivery | None:
    """As `telling.tell`. None where config.xml names no way to tell anybody: what is owed waits until it does."""
    if config.mail is None and not config.channels:
        return None
    return telling.tell(journal, config, stop, wait=wait, interval=interval)


def close_unconfigured(journal: Journal, config: Config) -> tuple[Change, ...]:
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

"""THE POLLER ITSELF: its own numbers, judged, stored and mailed like those of a host, under the name `poller`.

In go a finished round and what the journal says of archive and disk; out come changes of alerts. The numbers have no
history; each is new with every round, or missing when this round cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from poller.alerts import compare, explained
from poller.clock import booted, now_ms
from poller.errors import StoreError
from poller.intake import new_id, owe
from poller.metrics import OWN
from poller.model import POLLER, Change, Config, MetricValue, Poll, World
from poller.notify.wording import duration, size
from poller.rules import judge
from poller.store import Journal, Work
from poller.store.room import room

if TYPE_CHECKING:
    from poller.store.views import ShippingStatus

# Rows of `housekeeping`: when a round was last over, and when the machine booted by the clock of that moment.
_LOOKED: Final = "looked"
_BOOTED: Final = "booted "
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Round:
    """A round that is over: of all hosts (`full`) or some, and how many seconds it took by the monotonic clock.

    In a daemon, where no round ever is over, these are the newest polls of all hosts, the first of which began at
    `started_ms`, and `late` the seconds after their time in which 95 of 100 of the last ones had begun.
    """

    full: bool
    started_ms: int
    seconds: float
    polls: tuple[Poll, ...]
    late: float | None = None


@dataclass(frozen=True, slots=True)
class Assessed:
    """What changed, and how many notifications that made."""

    changes: tuple[Change, ...] = ()
    owed: int = 0


@dataclass(frozen=True, slots=True)
class _Number:
    """One of the poller's own, and what it means in words."""

    name: str
    value: float
    words: str = ""


def assess(work: Work, config: Config, values: Sequence[MetricValue], words: Mapping[str, str], at_ms: int) -> Assessed:
    """Judges numbers of the poller; one that is missing leaves its alert as it is."""
    comparison = compare(
        POLLER,
        judge(config.thresholds, World(at_ms, values)),
        work.alert_memory(POLLER),
        config.thresholds,
        at_ms,
        new_id,
    )
    comparison = explained(comparison, words)
    work.store_comparison(POLLER, comparison)
    return Assessed(comparison.changes, owe(work, config, comparison.changes))


def look(journal: Journal, config: Config, done: Round, used_bytes: int = 0) -> Assessed:
    """All that can be known after a round, but for the network (see `poller.blame`). StoreError.

    `used_bytes`: what the journal took before anything was shipped, or given up for want of room.
    """
    at_ms = now_ms()
    found = [*_archive(config, used_bytes, at_ms), *_round(config, done), *_disk(config)]
    with journal.transaction() as work:
        found += [_clock(work, at_ms), _undelivered(work, at_ms)]
        values = [MetricValue(f"{OWN}{one.name}", one.value) for one in found]
        words = {f"{OWN}{one.name}": one.words for one in found if one.words}
        return assess(work, config, values, words, at_ms)


def _archive(config: Config, used_bytes: int, at_ms: int) -> list[_Number]:
    """Without an archive all is well with it: alerts about one that was left out of config.xml end."""
    if config.archive is None:
        return [_Number(name, 0.0) for name in _OF_ARCHIVE]
    from poller.store import views

    state = views.shipping(config.journal)
    away = max(0.001, (at_ms - state.away_since_ms) / 1000) if state.away_since_ms is not None else 0.0
    used, bound = (used_bytes if away else 0), config.journal_bound
    return [
        _Number("archive_away_seconds", away, away_in_words(state, at_ms)),
        _Number("backlog_polls", float(state.waiting), f"{state.waiting} polls wait in the journal"),
        _Number(
            "journal_percent",
            100 * used / bound,
            f"the journal takes {size(used)} of {size(bound)} (bound=); beyond it the oldest samples are dropped",
        ),
        _Number(
            "rejected_polls",
            float(state.rejected),
            f"the archive refused {_items(state.rejected)} for good: see `poller db status`",
        ),
    ]


_OF_ARCHIVE: Final = ("archive_away_seconds", "backlog_polls", "journal_percent", "rejected_polls")


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def away_in_words(state: ShippingStatus, at_ms: int) -> str:
    """As "archive away for 12m (connection refused): 312 polls wait in the journal"; "" when it is not away."""
    if state.away_since_ms is None:
        return ""
    lasted = duration((at_ms - state.away_since_ms) / 1000)
    waiting = f"{state.waiting} poll{'' if state.waiting == 1 else 's'} wait{'s' if state.waiting == 1 else ''}"
    return f"archive away for {lasted} ({state.error or state.code}): {waiting} in the journal"


def _round(config: Config, done: Round) -> list[_Number]:
    """A round over some hosts says nothing about the time that all of them need."""
    if not done.full or not config.hosts:
        return []
    interval = min(host.poll.interval for host in config.hosts)
    if done.late is not None:
        words = f"polls begin {done.late:.1f} s late, the shortest interval= is {interval:g} s"
        return [_Number("round_percent", 100 * done.late / interval, words)]
    words = f"a round over all hosts takes {done.seconds:.1f} s, the shortest interval= is {interval:g} s"
    return [_Number("round_percent", 100 * done.seconds / interval, words)]


def _disk(config: Config) -> list[_Number]:
    try:
        there = room(config.journal)
    except StoreError:
        return []
    words = f"{size(there.free_bytes)} left on the disk of {config.journal}"
    return [_Number("disk_free_percent", there.free_percent, words)]


def _undelivered(work: Work, at_ms: int) -> _Number:
    """Who is to be told that telling does not work? Whoever another channel reaches, and who looks."""
    count = work.undelivered(at_ms - _DAY_MS)
    words = f"{'1 notification' if count == 1 else f'{count} notifications'} could not be delivered in the last day"
    return _Number("undelivered", float(count), f"{words}: see `poller alerts --all`")


def _clock(work: Work, at_ms: int) -> _Number:
    """How far the clock was set since the last look: seen by the instant of the boot, which only that moves, and after
    a reboot by a clock that runs behind the last round.
    """
    last_ms = work.note(_LOOKED, at_ms)
    step_ms = max(0, (last_ms or 0) - at_ms)
    boot = booted()
    if boot is not None:
        boot_id, booted_ms = boot
        before_ms = work.note(f"{_BOOTED}{boot_id}", booted_ms)
        step_ms = max(step_ms, abs(booted_ms - before_ms)) if before_ms is not None else step_ms
        for task in work.noted(_BOOTED):
            if task != f"{_BOOTED}{boot_id}":
                work.forget(task)
    words = f"the clock of the poller's machine was set by {duration(step_ms / 1000)}"
    return _Number("clock_step_seconds", step_ms / 1000, words)

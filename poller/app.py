"""The composition root: puts configuration, journal, transport, rules and notifiers together for the command line."""

from __future__ import annotations

import difflib
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal

from poller.asking import Asking
from poller.clock import now_ms
from poller.errors import UsageError
from poller.history import rebuild
from poller.intake import Intake, Taken, new_id
from poller.itself import Round
from poller.model import Before, Config, Host, Poll
from poller.notify.heartbeat import beating
from poller.poll import overdue, poll
from poller.round import Aftermath, finish
from poller.schedule import Schedule, Stop
from poller.ssh import Gates
from poller.store import Journal
from poller.store.lock import RoundLock

# Objects that may hold others, made and not yet dropped, between two looks for garbage; Python's default is 700.
_COLLECT_EVERY: Final = 5_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which hosts a command means: any of `hosts` (globs), in any of `groups`, with any of `tags`; empty means all."""

    hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        return not (self.hosts or self.groups or self.tags)


@dataclass(frozen=True, slots=True)
class RoundResult:
    """One round as it went: of `hosts` hosts, those in `taken` were polled before `stopped` (a signal, or 0)."""

    id: str
    hosts: int
    started_ms: int
    finished_ms: int
    taken: tuple[Taken, ...]
    aftermath: Aftermath | None
    stopped: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def select(config: Config, selection: Selection) -> tuple[Host, ...]:
    """The hosts meant, in the order of config.xml. UsageError when a pattern, group or tag matches nothing."""
    _check(selection.hosts, [host.name for host in config.hosts], "host")
    _check(selection.groups, [host.group for host in config.hosts if host.group], "group")
    _check(selection.tags, [tag for host in config.hosts for tag in host.tags], "tag")
    found = tuple(host for host in config.hosts if _matches(host, selection))
    if not found:
        raise UsageError("no host matches", f"{config.path} has {len(config.hosts)} hosts: `poller status` lists them")
    return found


def _check(patterns: Sequence[str], names: Sequence[str], noun: str) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            meant = difflib.get_close_matches(pattern, names, n=1)
            hint = f"did you mean {meant[0]}?" if meant else "`poller status` lists what there is"
            raise UsageError(f"no {noun} matches {pattern!r}", hint)


def _matches(host: Host, selection: Selection) -> bool:
    def fits(patterns: Sequence[str], names: Sequence[str]) -> bool:
        return not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)

    return (
        fits(selection.hosts, [host.name])
        and fits(selection.groups, [host.group])
        and fits(selection.tags, sorted(host.tags))
    )


def ask_all(config: Config, hosts: Sequence[Host]) -> Iterator[Poll]:
    """Polls hosts and stores nothing: for `doctor`. In the order in which they finish."""
    gates = Gates()
    schedule = Schedule(hosts, lambda host: poll(host, Before(), gates), overdue, at_once=config.at_once, stop=Stop())
    for batch in schedule.polls():
        yield from batch


def run_round(
    config: Config,
    selection: Selection,
    *,
    stop: Stop,
    keep: bool = True,
    at_any_rate: bool = False,
    on_taken: Callable[[Taken], None] = lambda taken: None,
) -> RoundResult:
    """Polls the selected hosts once; stores, judges and delivers unless `keep` is False.

    `at_any_rate` also tries hosts that refused the last logins. Of full rounds `<heartbeat>` is told.

    Raises UsageError (nothing matches), BusyError (a full round is going on), StoreError.
    """
    hosts = select(config, selection)
    round_id, started_ms, started = new_id(), now_ms(), time.monotonic()
    kind: Literal["full", "selected"] = "full" if selection.everything else "selected"
    whole = selection.everything and keep
    with (
        _exclusive(config, whole=whole) as alone,
        beating(config.heartbeat if whole else None, round_id) as beat,
        _journal(config, keep=keep) as journal,
        collecting_seldom(),
    ):
        if keep:
            rebuild(config, stop.event)
        with journal.transaction(keep=keep) as work:
            work.begin_round(round_id, kind, started_ms, len(hosts))
        asking = Asking(journal, hosts, keep=keep, at_any_rate=at_any_rate)
        taken = _poll_all(Intake(journal, config, round_id, keep=keep), asking, config.at_once, stop, on_taken)
        seconds = time.monotonic() - started
        outcomes = Counter(str(one.poll.outcome) for one in taken)
        with journal.transaction(keep=keep) as work:
            work.end_round(round_id, now_ms(), outcomes, stop.signal)
        alone.close()  # a mail server that takes its time must not cost the next round its turn
        done = Round(kind == "full", started_ms, seconds, tuple(one.poll for one in taken))
        aftermath = finish(journal, config, done, stop.event) if keep and not stop.requested else None
        if aftermath:
            journal.check_room()
        beat.status, beat.words = 128 + stop.signal if stop.signal else 0, _said(len(hosts), outcomes, aftermath)
    return RoundResult(round_id, len(hosts), started_ms, now_ms(), tuple(taken), aftermath, stop.signal, outcomes)


def _said(hosts: int, outcomes: Counter[str], aftermath: Aftermath | None) -> str:
    """What a watcher outside is told of a round: counts, and nothing that has a name."""
    parts = ["1 host" if hosts == 1 else f"{hosts} hosts"] + [
        f"{count} {outcome}" for outcome, count in sorted(outcomes.items())
    ]
    if aftermath and aftermath.delivery and aftermath.delivery.kept:
        kept = aftermath.delivery.kept
        parts.append("1 message waits" if kept == 1 else f"{kept} messages wait")
    if aftermath and aftermath.shipped and aftermath.shipped.away:
        parts.append("the archive is away")
    return ", ".join(parts)


def _poll_all(
    intake: Intake, asking: Asking, at_once: int, stop: Stop, on_taken: Callable[[Taken], None]
) -> list[Taken]:
    taken: list[Taken] = []
    with asking:
        for batch in Schedule(asking.hosts, asking.ask, overdue, at_once=at_once, stop=stop).polls():
            for one in intake.take(batch):
                taken.append(one)
                on_taken(one)
            asking.stored(batch)
    return taken


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """For the time of a round, or of a daemon, Python's garbage collector leaves alone what was there before it, and
    looks for cycles every fifty polls or so instead of every seven: a twentieth of what a round costs, for a few
    megabytes.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _exclusive(config: Config, *, whole: bool) -> ExitStack:
    """Full rounds never overlap; a one-shot may run beside one. Closed, it lets the next round begin."""
    alone = ExitStack()
    if whole:
        alone.enter_context(RoundLock(config.journal))
    return alone


@contextmanager
def _journal(config: Config, *, keep: bool) -> Iterator[Journal]:
    """The journal; a dry run without one works on an empty one in memory."""
    from pathlib import Path

    path = config.journal if keep or config.journal.exists() else Path(":memory:")
    journal = Journal.open(path, now_ms=now_ms(), archived=config.archive is not None if keep else None)
    try:
        yield journal
    finally:
        journal.close()

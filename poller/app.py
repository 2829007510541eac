"""The composition root: puts configuration, journal, transport, rules and notifiers together for the command line."""

from __future__ import annotations

import difflib
import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Final, Literal

from poller.clock import now_ms
from poller.errors import BusyError, UsageError
from poller.intake import Intake, Taken, new_id
from poller.model import Before, Config, Deadline, Host, Poll
from poller.poll import overdue, poll, skipped
from poller.probe.payload import build
from poller.round import Aftermath, finish
from poller.schedule import Schedule, Stop
from poller.ssh import Gates
from poller.store import Journal
from poller.store.lock import Leases, RoundLock

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
    on_taken: Callable[[Taken], None] = lambda taken: None,
) -> RoundResult:
    """Polls the selected hosts once; stores, judges and delivers unless `keep` is False.

    Raises UsageError (nothing matches), BusyError (a full round is going on), StoreError.
    """
    hosts = select(config, selection)
    round_id, started_ms = new_id(), now_ms()
    kind: Literal["full", "selected"] = "full" if selection.everything else "selected"
    build()  # before the threads that all want it
    with (
        _exclusive(config, whole=selection.everything and keep) as alone,
        _journal(config, keep=keep) as journal,
        _collecting_seldom(),
    ):
        with journal.transaction(keep=keep) as work:
            work.begin_round(round_id, kind, started_ms, len(hosts))
        taken = _poll_all(journal, config, hosts, round_id, stop, keep, on_taken)
        outcomes = Counter(str(one.poll.outcome) for one in taken)
        with journal.transaction(keep=keep) as work:
            work.end_round(round_id, now_ms(), outcomes, stop.signal)
        alone.close()  # a mail server that takes its time must not cost the next round its turn
        aftermath = finish(journal, config, stop.event) if keep and not stop.requested else None
    return RoundResult(round_id, len(hosts), started_ms, now_ms(), tuple(taken), aftermath, stop.signal, outcomes)


def _poll_all(
    journal: Journal,
    config: Config,
    hosts: Sequence[Host],
    round_id: str,
    stop: Stop,
    keep: bool,
    on_taken: Callable[[Taken], None],
) -> list[Taken]:
    intake = Intake(journal, config, round_id, keep=keep)
    before = journal.before([host.name for host in hosts])
    taken: list[Taken] = []
    with Leases(config.journal) if keep else nullcontext() as leases:
        ask = partial(_ask, before, Gates(), leases)
        for batch in Schedule(hosts, ask, overdue, at_once=config.at_once, stop=stop).polls():
            for one in intake.take(batch):
                taken.append(one)
                on_taken(one)
    return taken


def _ask(before: dict[str, Before], gates: Gates, leases: Leases | None, host: Host) -> Poll:
    """In the host's thread. A one-shot and a round never poll one host at the same time: the later one waits.

    Both share its deadline. With less than half of it left nothing is tried: that failure would be the host's.
    """
    memory = before.get(host.name, Before())
    if leases is None:
        return poll(host, memory, gates)
    deadline = Deadline(host.poll.deadline)
    try:
        with leases.hold(host.name, deadline):
            if deadline.remaining < host.poll.deadline / 2:
                raise BusyError(f"another poller was at work on {host.name} for too long")
            return poll(host, memory, gates, deadline)
    except BusyError as error:
        return skipped(host, error.code, error.sentence)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """For the time of a round Python's garbage collector leaves alone what was there before it, and looks for cycles
    every fifty polls or so instead of every seven: a twentieth of what a round costs, for a few megabytes.
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
    journal = Journal.open(path, now_ms=now_ms())
    try:
        yield journal
    finally:
        journal.close()

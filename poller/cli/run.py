"""`poller run`: one round, for cron, or one-shot over chosen hosts."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from poller.cli.selecting import host_options
from poller.cli.settings import Settings, counted, inert, print_json

if TYPE_CHECKING:
    from poller.app import RoundResult, Selection
    from poller.intake import Taken
    from poller.model import Change
    from poller.schedule import Stop

# Fewer hosts than this are done before a bar could be read.
_BAR_FROM = 10
_LOG = logging.getLogger(__name__)


@click.command("run")
@host_options
@click.option("--strict", is_flag=True, help="Exit 1 when any host failed, also in a round over all of them.")
@click.option("--dry-run", is_flag=True, help="Poll and judge, but neither store nor send anything.")
@click.option("--now", is_flag=True, help="Also try hosts that refused the last logins and are left alone for a while.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the poller's own trouble: what a cron line wants.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document with every metric.")
@click.pass_obj
def command(
    settings: Settings,
    hosts: tuple[str, ...],
    groups: tuple[str, ...],
    tags: tuple[str, ...],
    strict: bool,
    dry_run: bool,
    now: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Poll hosts once: ask, store, judge, notify.

    Exits 0 when the round is done and stored (a host that failed is data), 1 when a host chosen by
    --host, --group or --tag failed (or any with --strict), 2 for mistakes, 74 when nothing can be
    stored, 75 when another round is going on, 130 or 143 when interrupted.

    \b
    Examples:
      poller run                                  every host
      poller run -q                               the same from cron: * * * * * poller run -q
      poller run --host web1 --host 'lab*'        just these, now
      poller run --host web1 --now                its key is repaired: do not wait until it is tried again
      poller run --group lab --dry-run            what would be stored and mailed?
      poller run --host web1 --json | jq '.hosts[0].metrics'
    """
    from poller.app import Selection, run_round
    from poller.schedule import Stop

    selection = Selection(hosts, groups, tags)
    stop = Stop()
    shown = not (quiet or as_json or settings.verbose)
    with _signals(stop), _progress(settings, selection, shown=shown) as advance:
        result = run_round(settings.config, selection, stop=stop, keep=not dry_run, at_any_rate=now, on_taken=advance)
    if as_json:
        print_json(as_document(result))
    elif not quiet:
        _show(settings, result, dry_run)
    _complain(settings, result, quiet=quiet)
    return _exit_code(result, chosen=not selection.everything, strict=strict)


def _exit_code(result: RoundResult, *, chosen: bool, strict: bool) -> int:
    if result.stopped:
        return 128 + result.stopped
    failed = any(one.poll.outcome in ("failed", "skipped") for one in result.taken)
    return 1 if failed and (chosen or strict) else 0


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """The first SIGINT or SIGTERM lets the polls that have finished be stored; a second one ends at once."""

    def request(number: int, frame: object) -> None:
        if stop.requested:
            sys.exit(128 + number)
        stop.request(number)

    previous = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _progress(settings: Settings, selection: Selection, *, shown: bool) -> Iterator[Any]:
    from poller.app import select

    count = len(select(settings.config, selection))
    if not shown or count < _BAR_FROM or not sys.stderr.isatty():
        yield _log_poll
        return
    from rich.progress import Progress

    with Progress(console=settings.err, transient=True) as progress:
        task = progress.add_task("polling", total=count)

        def advance(taken: Taken) -> None:
            progress.update(task, advance=1, description=f"polled {inert(taken.poll.host)}")

        yield advance


def _log_poll(taken: Taken) -> None:
    """For -v: each host as it finishes, and where its time went."""
    poll = taken.poll
    stages = ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in poll.stages.items())
    failed = f", {poll.stage}/{poll.code}: {poll.error}" if poll.stage else ""
    _LOG.info("%s: %s in %.2f s (%s)%s", poll.host, poll.outcome, poll.seconds, stages, failed)


def as_document(result: RoundResult) -> dict[str, Any]:
    """The stable JSON form of a round."""
    delivery = result.aftermath.delivery if result.aftermath else None
    return {
        "round": {
            "id": result.id,
            "started_ms": result.started_ms,
            "finished_ms": result.finished_ms,
            "seconds": (result.finished_ms - result.started_ms) / 1000,
            "outcomes": {name: result.outcomes.get(name, 0) for name in ("ok", "partial", "failed", "skipped")},
            "hosts": result.hosts,
            "interrupted": bool(result.stopped),
            "mails": {"sent": delivery.sent, "kept": delivery.kept} if delivery else None,
        },
        "archive": _archive_document(result),
        "poller": [_change_document(change) for change in result.aftermath.own] if result.aftermath else [],
        "hosts": [_host_document(one) for one in result.taken],
    }


def _archive_document(result: RoundResult) -> dict[str, Any] | None:
    """What went to the archive, and polls that wait for it; None when none is configured or nothing was shipped."""
    shipped = result.aftermath.shipped if result.aftermath else None
    if shipped is None:
        return None
    away = {"code": shipped.away.code, "error": shipped.away.sentence} if shipped.away else None
    return {"shipped": shipped.polls, "rows": shipped.rows, "rejected": shipped.rejected, "waiting": shipped.waiting,
            "dropped": shipped.dropped, "away": away}  # fmt: skip


def _host_document(one: Taken) -> dict[str, Any]:
    poll = one.poll
    return {
        "name": poll.host,
        "outcome": str(poll.outcome),
        "stage": poll.stage,
        "code": poll.code,
        "error": poll.error,
        "hint": poll.hint,
        "seconds": round(poll.seconds, 6),
        "stages": {stage: round(seconds, 6) for stage, seconds in poll.stages.items()},
        "metrics": {str(value): value.value for value in one.values},
        "changes": [_change_document(change) for change in one.changes],
    }  # fmt: skip


def _change_document(change: Change) -> dict[str, str]:
    return {
        "kind": str(change.kind),
        "metric": _name(change),
        "severity": str(change.alert.severity),
        "reason": change.reason,
    }


def _name(change: Change) -> str:
    from poller.model import MetricValue

    return str(MetricValue(change.alert.metric, 0.0, change.alert.labels))


def _show(settings: Settings, result: RoundResult, dry_run: bool) -> None:
    from poller.cli.table import poll_table

    out = settings.out
    out.print(poll_table(result.taken))
    changes = [change for one in sorted(result.taken, key=lambda one: one.poll.host) for change in one.changes]
    for change in (*changes, *(result.aftermath.own if result.aftermath else ())):
        out.print(f"{change.kind} [{change.alert.severity}] {inert(change.alert.host)} {inert(_name(change))}: "
                  f"{inert(change.reason)}", markup=False)  # fmt: skip
    counts = ", ".join(f"{count} {name}" for name, count in sorted(result.outcomes.items()))
    seconds = (result.finished_ms - result.started_ms) / 1000
    note = " (dry run: nothing stored, nothing sent)" if dry_run else ""
    part = f"{len(result.taken)} of " if result.stopped else ""
    out.print(f"{part}{counted(result.hosts, 'host')} in {seconds:.1f} s: {counts}{note}", markup=False)
    delivery = result.aftermath.delivery if result.aftermath else None
    if delivery and delivery.sent:
        out.print(f"{counted(delivery.sent, _noun(settings))} sent", markup=False)


def _complain(settings: Settings, result: RoundResult, *, quiet: bool) -> None:
    """The poller's own trouble goes to stderr, also with --quiet: cron mails it."""
    delivery = result.aftermath.delivery if result.aftermath else None
    for error in delivery.errors if delivery else ():
        settings.err.print(f"poller: {_noun(settings)}: {inert(str(error))}", markup=False)
    shipped = result.aftermath.shipped if result.aftermath else None
    if shipped and shipped.away and not (quiet and _known(result, "poller.archive_away_seconds")):
        waiting = "1 poll waits" if shipped.waiting == 1 else f"{shipped.waiting} polls wait"
        why = inert(shipped.away.sentence)
        settings.err.print(f"poller: archive away: {why}; {waiting} in the journal", markup=False)
    if shipped and shipped.rejected and not (quiet and _known(result, "poller.rejected_polls")):
        refused = counted(shipped.rejected, "item")
        settings.err.print(f"poller: the archive refused {refused} for good: `poller db status` says why", markup=False)
    if result.stopped:
        settings.err.print(
            "poller: interrupted; finished polls are stored, mails go out with the next run", markup=False
        )


def _noun(settings: Settings) -> str:
    """What people get."""
    return "message" if settings.config.channels else "mail"


def _known(result: RoundResult, metric: str) -> bool:
    """Whether an earlier round has said this about the archive: cron mails it once, not every minute."""
    own = result.aftermath.own if result.aftermath else ()
    return not any(change.alert.metric == metric for change in own)

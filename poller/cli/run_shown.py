"""What `poller run` prints, whether it polled by itself or a daemon did: from the JSON document of the round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from poller.cli.settings import Settings, counted, inert
from poller.daemon.account import Entry, change_entries

if TYPE_CHECKING:
    from poller.app import RoundResult

OUTCOMES: Final = ("ok", "partial", "failed", "skipped")


def as_document(result: RoundResult, entries: Sequence[Entry]) -> Entry:
    """The stable JSON form of a round; `entries` are those of its hosts."""
    delivery = result.aftermath.delivery if result.aftermath else None
    return {
        "round": {
            "id": result.id,
            "started_ms": result.started_ms,
            "finished_ms": result.finished_ms,
            "seconds": (result.finished_ms - result.started_ms) / 1000,
            "outcomes": {name: result.outcomes.get(name, 0) for name in OUTCOMES},
            "hosts": result.hosts,
            "interrupted": bool(result.stopped),
            "mails": {"sent": delivery.sent, "kept": delivery.kept} if delivery else None,
        },
        "archive": _archive(result),
        "poller": change_entries(result.aftermath.own) if result.aftermath else [],
        "hosts": list(entries),
    }


def _archive(result: RoundResult) -> dict[str, Any] | None:
    """What went to the archive, and polls that wait for it; None when none is configured or nothing was shipped."""
    shipped = result.aftermath.shipped if result.aftermath else None
    if shipped is None:
        return None
    away = {"code": shipped.away.code, "error": shipped.away.sentence} if shipped.away else None
    return {"shipped": shipped.polls, "rows": shipped.rows, "rejected": shipped.rejected, "waiting": shipped.waiting,
            "dropped": shipped.dropped, "away": away}  # fmt: skip


def show(settings: Settings, document: Entry, note: str) -> None:
    """The table, what changed, and a line that counts; `note` is added to that."""
    from poller.cli.table import poll_table
    from poller.model import POLLER

    out, told, hosts = settings.out, document["round"], document["hosts"]
    out.print(poll_table(hosts))
    for one in (*sorted(hosts, key=lambda one: str(one["name"])), {"name": POLLER, "changes": document["poller"]}):
        for change in one["changes"]:
            out.print(f"{change['kind']} [{change['severity']}] {inert(one['name'])} {inert(change['metric'])}: "
                      f"{inert(change['reason'])}", markup=False)  # fmt: skip
    counts = ", ".join(f"{count} {name}" for name, count in sorted(told["outcomes"].items()) if count)
    part = f"{len(hosts)} of " if told["interrupted"] else ""
    out.print(f"{part}{counted(told['hosts'], 'host')} in {told['seconds']:.1f} s: {counts}{note}", markup=False)
    if told["mails"] and told["mails"]["sent"]:
        out.print(f"{counted(told['mails']['sent'], noun(settings))} sent", markup=False)


def complain(settings: Settings, result: RoundResult, *, quiet: bool) -> None:
    """The poller's own trouble goes to stderr, also with --quiet: cron mails it."""
    delivery = result.aftermath.delivery if result.aftermath else None
    for error in delivery.errors if delivery else ():
        settings.err.print(f"poller: {noun(settings)}: {inert(str(error))}", markup=False)
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


def noun(settings: Settings) -> str:
    """What people get."""
    return "message" if settings.config.channels else "mail"


def _known(result: RoundResult, metric: str) -> bool:
    """Whether an earlier round has said this about the archive: cron mails it once, not every minute."""
    own = result.aftermath.own if result.aftermath else ()
    return not any(change.alert.metric == metric for change in own)

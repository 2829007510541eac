"""The table of `poller status`, and what stands below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from poller.cli import firing
from poller.cli.foreign import one_line
from poller.cli.settings import Settings, counted, inert
from poller.cli.table import ago, cell, outcome, plain_table

if TYPE_CHECKING:
    from poller.store.views import Backlog, RoundStatus

_SHARES: Final = ("cpu.percent", "memory.percent", "disk.percent")
_LOGS: Final = 3


def show(
    settings: Settings,
    documents: Sequence[dict[str, Any]],
    now: int,
    last: RoundStatus | None,
    owed: Backlog,
    daemon: int,
) -> None:
    """`daemon`: the process that goes on with the last round, 0 when none does."""
    table = plain_table("HOST", "STATE", ">CPU", ">MEMORY", ">DISK", ">REPORT", "")
    for document in documents:
        metrics = document["metrics"]
        shares = [f"{metrics[name]:.0f}%" if name in metrics else "" for name in _SHARES]
        table.add_row(
            cell(document["name"]), outcome(document["outcome"]), *shares, ago(document["report_ms"], now),
            _notes(document),
        )  # fmt: skip
    settings.out.print(table)
    settings.out.print(_summary(documents), markup=False)
    settings.out.print(_about_round(last, now, daemon), markup=False)
    if owed.owed:
        waiting = "notification waits" if owed.owed == 1 else "notifications wait"
        settings.out.print(f"{owed.owed} {waiting} for delivery, the oldest {ago(owed.oldest_ms, now)}", markup=False)


def show_own(settings: Settings, own: dict[str, Any]) -> None:
    """What is wrong with the poller itself, a line each."""
    archive = own["archive"]
    if archive and archive["words"]:
        settings.out.print(inert(archive["words"]), markup=False)
    elif archive and archive["waiting"]:
        waiting = "poll waits" if archive["waiting"] == 1 else "polls wait"
        settings.out.print(f"{archive['waiting']} {waiting} for the archive", markup=False)
    if archive and archive["rejected"]:
        settings.out.print(f"{archive['rejected']} refused by the archive for good: `poller db status`", markup=False)
    for alert in own["alerts"]:
        settings.out.print(f"[{alert['severity']}] poller: {inert(alert['reason'])}{_becomes(alert)}", markup=False)


def counts(documents: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Hosts by their outcome, and open alerts."""
    found = dict.fromkeys(("ok", "partial", "failed", "skipped", "stale", "never"), 0)
    for document in documents:
        found[document["outcome"]] += 1
    return found | {"firing": sum(len(document["alerts"]) for document in documents)}


def _summary(documents: Sequence[dict[str, Any]]) -> str:
    words = [f"{count} {name}" for name, count in counts(documents).items() if count]
    by_severity = firing.counts([alert["severity"] for document in documents for alert in document["alerts"]])
    return ", ".join(words) + (f" ({by_severity})" if by_severity else "")


def _about_round(last: RoundStatus | None, now: int, daemon: int) -> str:
    if last is None:
        return "no round yet: `poller run` makes one"
    state = f"the daemon's (process {daemon}), going on" if daemon else "going on, unless it was killed"
    if last.ended_ms is not None:
        state = f"{(last.ended_ms - last.started_ms) / 1000:.1f} s" + (", interrupted" if last.stopped_by else "")
    return f"last round {ago(last.started_ms, now)}: {counted(last.hosts, 'host')}, {state}"


def _notes(document: dict[str, Any]) -> str:
    """A line each, whatever foreign text is in them."""
    notes = (*_reached(document), *_kept_quiet(document), *_alerts(document), *_logs(document))
    return "\n".join(map(one_line, notes))


def _reached(document: dict[str, Any]) -> list[str]:
    """How it answers, or why it does not."""
    metrics = document["metrics"]
    if "ping.seconds" in metrics:
        return [f"ping {metrics['ping.seconds'] * 1000:.3g} ms, {metrics.get('ping.loss_percent', 0):.0f}% lost"]
    if not document["stage"]:
        return []
    where = f"{document['stage']}/{document['code']}"
    if document["unreachable_behind"]:
        return [f"unreachable: {document['unreachable_behind']} is down ({where})"]
    return [f"{where}: {document['error']}"]


def _kept_quiet(document: dict[str, Any]) -> list[str]:
    from poller.cli.instant import shown

    notes = [f"in downtime {document['downtime']}"] if document["downtime"] else []
    for one in document["silences"]:
        notes.append(f"silenced until {shown(one['until_ms'])} by {one['author']}: {one['comment']}")
    return notes


def _alerts(document: dict[str, Any]) -> list[str]:
    notes = []
    for alert in document["alerts"]:
        labels = tuple(alert["labels"].items())
        words = firing.sentence(alert["metric"], labels, alert["value"], alert["limit"], alert["reason"])
        notes.append(f"[{alert['severity']}] {words}{_becomes(alert)}")
    return notes


def _becomes(alert: dict[str, Any]) -> str:
    """What there is to say about it beyond that it fires."""
    words = {"acknowledged": f"acknowledged by {alert['acknowledged_by']}", "downtime": "in downtime"}
    state = alert["state"]
    return "" if state == "firing" else f" ({words.get(state, state)})"


def _logs(document: dict[str, Any]) -> list[str]:
    unread = [f"{log['log'] or 'all'} ({log['state']})" for log in document["unread_logs"]]
    if not unread:
        return []
    more = f" and {len(unread) - _LOGS} more" if len(unread) > _LOGS else ""
    return [f"logs not read: {', '.join(unread[:_LOGS])}{more}"]

"""`poller status`: every host as last seen, what fires, how old it all is. Reads the database, polls nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from poller.cli.selecting import host_options
from poller.cli.settings import Settings, counted, inert, print_json
from poller.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from poller.model import Alert, Host
    from poller.store.views import Backlog, HostStatus, RoundStatus


@click.command("status")
@host_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings, hosts: tuple[str, ...], groups: tuple[str, ...], tags: tuple[str, ...], as_json: bool
) -> None:
    """Show every host as last seen, without polling.

    A host whose last report is older than two intervals and a deadline (or as far in the future, by a clock
    that was wrong) is `stale`, whatever it said then; one that was never polled is `never`.

    \b
    Examples:
      poller status
      poller status --group lab --json
    """
    from poller.app import Selection, select
    from poller.clock import now_ms
    from poller.store import views

    config = settings.config
    chosen = select(config, Selection(hosts, groups, tags))
    journal = config.journal
    polled = _polled(journal)
    unread = _unread(journal) if polled else {}
    seen = {host.name: host for host in views.hosts(journal)} if polled else {}
    now = now_ms()
    documents = [
        _document(host, seen.get(host.name), now) | {"unread_logs": _asked(host, unread.get(host.name, []))}
        for host in chosen
    ]
    last = views.last_round(journal, "") if polled else None
    owed = views.backlog(journal) if polled else views.Backlog(0, None, 0)
    own = _own(settings, now) if polled else {"archive": None, "alerts": []}
    if as_json:
        print_json({"now_ms": now, "counts": _counts(documents), "round": _round(last), "owed": owed.owed,
                    "poller": own, "hosts": documents})  # fmt: skip
    else:
        _show(settings, documents, now, last, owed)
        _show_own(settings, own)


def _own(settings: Settings, now: int) -> dict[str, Any]:
    """The poller itself: its archive, None without one, and its own alerts."""
    from poller.itself import away_in_words
    from poller.store import views

    config = settings.config
    alerts = [_alert(alert) | {"reason": alert.reason} for alert in views.own_alerts(config.journal)]
    if config.archive is None:
        return {"archive": None, "alerts": alerts}
    state = views.shipping(config.journal)
    archive = {
        "waiting": state.waiting, "oldest_ms": state.oldest_ms, "shipped_ms": state.shipped_ms,
        "away_since_ms": state.away_since_ms, "code": state.code, "error": state.error, "rejected": state.rejected,
        "words": away_in_words(state, now),
    }  # fmt: skip
    return {"archive": archive, "alerts": alerts}


def _show_own(settings: Settings, own: dict[str, Any]) -> None:
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
        settings.out.print(f"[{alert['severity']}] poller: {inert(alert['reason'])}", markup=False)


def _polled(journal: Path) -> bool:
    """Whether there is a database. That there is none yet is no fault: every host is `never`."""
    from poller.store.database import reading

    try:
        with reading(journal):
            return True
    except StoreError as error:
        if error.code != "absent":
            raise
        return False


def _unread(journal: Path) -> dict[str, list[dict[str, str]]]:
    """By host: logs of which nothing is known, so that no lines does not look like nothing to tell."""
    from poller.store.loglines import LineFilter, troubled

    found: dict[str, list[dict[str, str]]] = {}
    for log in troubled(journal, LineFilter()):
        if log.state != "behind":
            said = {"log": log.log, "path": log.path, "state": log.state, "reason": log.reason}
            found.setdefault(log.host, []).append(said)
    return found


def _asked(host: Host, logs: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those that config.xml still names; a section that failed as a whole is about all of them."""
    names = {log.name for log in host.watch.logs} | {journal.name for journal in host.watch.journals}
    return [log for log in logs if names and log["log"] in (*names, "")]


def _document(host: Host, seen: HostStatus | None, now: int) -> dict[str, Any]:
    """The stable JSON form; `outcome` is "never" or "stale" when the database knows no better."""
    if seen is None or seen.at_ms is None:
        return {"name": host.name, "group": host.group, "outcome": "never", "at_ms": None, "report_ms": None,
                "failures": 0, "stage": "", "code": "", "error": "", "booted_ms": None, "metrics": {},
                "alerts": []}  # fmt: skip
    newest = seen.report_ms if seen.report_ms is not None else 0
    # One from the future was taken while this machine's clock was wrong: nobody knows how old it is.
    stale = abs(now - newest) > (2 * host.poll.interval + host.poll.deadline) * 1000
    metrics = {
        "cpu.percent": seen.cpu_percent,
        "memory.percent": seen.memory_percent,
        "load.1m_per_cpu": seen.load_1m_per_cpu,
        "disk.percent": seen.disk_percent,
    }
    return {
        "name": host.name,
        "group": host.group,
        "outcome": "stale" if stale and seen.outcome in ("ok", "partial", "skipped") else seen.outcome,
        "at_ms": seen.at_ms,
        "report_ms": seen.report_ms,
        "failures": seen.failures,
        "stage": seen.stage,
        "code": seen.code,
        "error": seen.error,
        "booted_ms": seen.booted_ms,
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        "alerts": [_alert(alert) for alert in seen.alerts],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {"metric": alert.metric, "labels": dict(alert.labels), "severity": str(alert.severity),
            "value": alert.value, "limit": alert.limit, "since_ms": alert.since_ms, "id": alert.id}  # fmt: skip


def _counts(documents: list[dict[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys(("ok", "partial", "failed", "skipped", "stale", "never"), 0)
    for document in documents:
        counts[document["outcome"]] += 1
    return counts | {"firing": sum(len(document["alerts"]) for document in documents)}


def _round(last: RoundStatus | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {"id": last.id, "kind": last.kind, "started_ms": last.started_ms, "ended_ms": last.ended_ms,
            "hosts": last.hosts, "interrupted": bool(last.stopped_by)}  # fmt: skip


def _show(
    settings: Settings,
    documents: list[dict[str, Any]],
    now: int,
    last: RoundStatus | None,
    owed: Backlog,
) -> None:
    from poller.cli.table import cell, outcome, plain_table

    table = plain_table("HOST", "STATE", ">CPU", ">MEMORY", ">DISK", ">REPORT", "")
    for document in documents:
        metrics = document["metrics"]
        shares = [f"{metrics[name]:.0f}%" if name in metrics else "" for name in _SHARES]
        table.add_row(
            cell(document["name"]), outcome(document["outcome"]), *shares, _age(document["report_ms"], now),
            cell(_notes(document)),
        )  # fmt: skip
    out = settings.out
    out.print(table)
    out.print(", ".join(f"{count} {name}" for name, count in _counts(documents).items() if count), markup=False)
    out.print(_about_round(last, now), markup=False)
    if owed.owed:
        waiting = "notification waits" if owed.owed == 1 else "notifications wait"
        out.print(f"{owed.owed} {waiting} for delivery, the oldest {_age(owed.oldest_ms, now)}", markup=False)


def _about_round(last: RoundStatus | None, now: int) -> str:
    if last is None:
        return "no round yet: `poller run` makes one"
    state = "still going on, or killed"
    if last.ended_ms is not None:
        state = f"{(last.ended_ms - last.started_ms) / 1000:.1f} s" + (", interrupted" if last.stopped_by else "")
    return f"last round {_age(last.started_ms, now)}: {counted(last.hosts, 'host')}, {state}"


_SHARES = ("cpu.percent", "memory.percent", "disk.percent")


def _breach(alert: dict[str, Any]) -> str:
    """As in the mails: `97 > 90 for 5m`."""
    from poller.notify import wording

    unit = wording.unit_of(alert["metric"])
    if unit == "0 or 1":  # "1 > 0 for 3 polls" says nothing but its end
        hold: str = alert["limit"].partition(" for ")[2]
        return f"for {hold}" if hold else ""
    return f"{wording.quantity(alert['value'], unit)} {wording.limit(alert['limit'], unit)}"


_AHEAD_MS = 60_000
_LOGS = 3


def _age(at_ms: int | None, now: int) -> str:
    from poller.cli.table import duration

    if at_ms and at_ms - now > _AHEAD_MS:
        return "in the future"  # written while this machine's clock was wrong, or it is now
    return "never" if not at_ms else f"{duration(max(0, now - at_ms) / 1000)} ago"


def _notes(document: dict[str, Any]) -> str:
    notes = [f"{document['stage']}/{document['code']}: {document['error']}"] if document["stage"] else []
    for alert in document["alerts"]:
        labels = ",".join(alert["labels"].values())
        where = f"{alert['metric']}{{{labels}}}" if labels else alert["metric"]
        notes.append(f"[{alert['severity']}] {where} {_breach(alert)}".rstrip())
    unread = [f"{log['log'] or 'all'} ({log['state']})" for log in document["unread_logs"]]
    if unread:
        more = f" and {len(unread) - _LOGS} more" if len(unread) > _LOGS else ""
        notes.append(f"logs not read: {', '.join(unread[:_LOGS])}{more}")
    return inert("\n".join(notes))

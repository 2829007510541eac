"""`poller status`: every host as last seen, what fires, how old it all is. Reads the database, polls nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from poller.cli import last_known, status_table
from poller.cli.selecting import host_options
from poller.cli.settings import Settings, print_json
from poller.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from poller.model import Alert, Config, Host, Silence
    from poller.store.alerting import AlertStatus
    from poller.store.views import HostStatus, RoundStatus


@click.command("status")
@host_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings, hosts: tuple[str, ...], groups: tuple[str, ...], tags: tuple[str, ...], as_json: bool
) -> None:
    """Show every host as last seen, without polling.

    A host whose last report is older than two intervals and a deadline (or as far in the future, by a clock
    that was wrong) is `stale`, whatever it said then; one that was never polled is `never`. One that only stands
    behind a gateway that is down says so. Downtimes and silences in force are shown with their hosts.

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
    now = now_ms()
    polled = _polled(config.journal)
    scene = _scene(settings, now) if polled else None
    documents = [_document(host, scene) if scene else _never(host) for host in chosen]
    last = views.last_round(config.journal, "") if polled else None
    owed = views.backlog(config.journal) if polled else views.Backlog(0, None, 0)
    own = _own(settings, scene) if scene else {"archive": None, "alerts": []}
    if as_json:
        print_json({"now_ms": now, "counts": status_table.counts(documents), "round": _round(last), "owed": owed.owed,
                    "poller": own, "hosts": documents})  # fmt: skip
    else:
        status_table.show(settings, documents, now, last, owed, _daemon(config, last))
        status_table.show_own(settings, own)


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that is known, for whichever host: by its name, or by the id of an alert."""

    config: Config
    now: int
    seen: Mapping[str, HostStatus]
    unread: Mapping[str, list[dict[str, str]]]
    silences: Sequence[Silence]
    alerts: Mapping[str, AlertStatus]


def _scene(settings: Settings, now: int) -> _Scene:
    from poller.store import alerting, views

    journal = settings.config.journal
    return _Scene(
        settings.config, now, {host.name: host for host in views.hosts(journal)}, _unread(journal),
        tuple(one for one in alerting.silences(journal, now) if one.from_ms <= now),
        {one.alert.id: one for one in alerting.alerts(journal, since_ms=None, everything=False)},
    )  # fmt: skip


def _own(settings: Settings, scene: _Scene) -> dict[str, Any]:
    """The poller itself: its archive, None without one, and its own alerts."""
    from poller.itself import away_in_words
    from poller.store import views

    config = settings.config
    alerts = [_alert(alert, scene) for alert in views.own_alerts(config.journal)]
    if config.archive is None:
        return {"archive": None, "alerts": alerts}
    state = views.shipping(config.journal)
    archive = {
        "waiting": state.waiting, "oldest_ms": state.oldest_ms, "shipped_ms": state.shipped_ms,
        "away_since_ms": state.away_since_ms, "code": state.code, "error": state.error, "rejected": state.rejected,
        "words": away_in_words(state, scene.now),
    }  # fmt: skip
    return {"archive": archive, "alerts": alerts}


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


def _never(host: Host) -> dict[str, Any]:
    """The stable JSON form of a host of which nothing is known."""
    return {"name": host.name, "group": host.group, "via": host.via, "outcome": "never", "at_ms": None,
            "report_ms": None, "failures": 0, "stage": "", "code": "", "error": "", "unreachable_behind": "",
            "booted_ms": None, "metrics": {}, "alerts": [], "downtime": "", "silences": [],
            "unread_logs": []}  # fmt: skip


def _document(host: Host, scene: _Scene) -> dict[str, Any]:
    """The stable JSON form; `outcome` is "never" or "stale" when the database knows no better."""
    seen = scene.seen.get(host.name)
    quiet = {"downtime": _downtime(host, scene), "silences": _silences(host, scene),
             "unread_logs": _asked(host, scene.unread.get(host.name, []))}  # fmt: skip
    if seen is None or seen.at_ms is None:
        return _never(host) | quiet
    stale = last_known.too_old(last_known.known_ms(host, seen), scene.now, last_known.bound_ms(host))
    return {
        **_never(host),
        "outcome": "stale" if stale and seen.outcome in ("ok", "partial", "skipped") else seen.outcome,
        "at_ms": seen.at_ms,
        "report_ms": last_known.known_ms(host, seen) if seen.outcome == "ok" else seen.report_ms,
        "failures": seen.failures,
        "stage": seen.stage,
        "code": seen.code,
        "error": seen.error,
        "unreachable_behind": last_known.blamed(scene.config, host, scene.seen) if seen.outcome == "failed" else "",
        "booted_ms": seen.booted_ms,
        "metrics": _metrics(host, seen, scene),
        "alerts": [_alert(alert, scene) for alert in seen.alerts],
        **quiet,
    }


def _metrics(host: Host, seen: HostStatus, scene: _Scene) -> dict[str, float]:
    if host.via == "ping":
        from poller.cli.check_host import echo

        since_ms = scene.now - last_known.bound_ms(host)
        return {value.metric: value.value for value in echo(scene.config, host, since_ms, scene.now)}
    metrics = {
        "cpu.percent": seen.cpu_percent,
        "memory.percent": seen.memory_percent,
        "load.1m_per_cpu": seen.load_1m_per_cpu,
        "disk.percent": seen.disk_percent,
    }
    return {name: value for name, value in metrics.items() if value is not None}


def _downtime(host: Host, scene: _Scene) -> str:
    from poller.notify.window import in_downtime

    found = in_downtime(scene.config.downtimes, host, scene.now)
    return found.name if found else ""


def _silences(host: Host, scene: _Scene) -> list[dict[str, Any]]:
    """Those of the whole host. One of a metric or label is told beside the alerts that it fits."""
    return [
        {"id": one.id, "until_ms": one.until_ms, "author": one.author, "comment": one.comment}
        for one in scene.silences
        if (one.metric, one.label) == ("*", "*") and fnmatchcase(host.name, one.host)
    ]


def _alert(alert: Alert, scene: _Scene) -> dict[str, Any]:
    return {"metric": alert.metric, "labels": dict(alert.labels), "severity": str(alert.severity),
            "value": alert.value, "limit": alert.limit, "since_ms": alert.since_ms, "id": alert.id,
            "reason": alert.reason, **_state(alert, scene)}  # fmt: skip


def _state(alert: Alert, scene: _Scene) -> dict[str, str]:
    from poller.cli.alert_state import Scene, conditions

    status = scene.alerts.get(alert.id)
    if status is None:  # it opened between two looks
        return {"state": "firing", "acknowledged_by": ""}
    found = conditions(status, Scene(scene.config, scene.now, scene.silences))
    known = {condition.word for condition in found}
    by = status.acknowledgement.author if status.acknowledgement and "acknowledged" in known else ""
    return {"state": found[0].word, "acknowledged_by": by}


def _daemon(config: Config, last: RoundStatus | None) -> int:
    """The process of the daemon whose round has not ended; 0: it has, or none is at work."""
    if last is None or last.ended_ms is not None:
        return 0
    from poller.daemon.beside import holder

    return holder(config.journal)


def _round(last: RoundStatus | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {"id": last.id, "kind": last.kind, "started_ms": last.started_ms, "ended_ms": last.ended_ms,
            "hosts": last.hosts, "interrupted": bool(last.stopped_by)}  # fmt: skip

"""Which alerts are meant on the command line: those that fit options, or by the end of an id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from poller.cli import firing, ids
from poller.cli.instant import shown
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.model import Severity
    from poller.store.alerting import AlertStatus


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts: `hosts` are names (None: all), `metrics` globs (none: all)."""

    hosts: frozenset[str] | None
    severity: Severity
    metrics: tuple[str, ...]
    since_ms: int | None
    everything: bool

    def fits(self, status: AlertStatus) -> bool:
        """Which time is meant is asked of the store."""
        return self.names(status.alert.host, status.alert.metric) and status.alert.severity >= self.severity

    def names(self, host: str, metric: str) -> bool:
        return (self.hosts is None or host in self.hosts) and (
            not self.metrics or any(fnmatchcase(metric, glob) for glob in self.metrics)
        )


def _offered(journal: Path, now: int) -> Iterator[tuple[str, str]]:
    from poller.store import alerting

    for one in alerting.alerts(journal, since_ms=None, everything=False):
        yield one.alert.id, f"{one.alert.host} {firing.told(one.alert)}"


complete_alert = ids.completer(_offered)


def one_of_all(journal: Path, ending: str) -> AlertStatus:
    """The alert, open or ended, whose id ends so. Open ones come first: an id that fits one of them means that."""
    from poller.store import alerting

    known = {one.alert.id: one for one in alerting.alerts(journal, since_ms=None, everything=False)}
    if not any(number.endswith(ending.strip().lower()) for number in known):
        known = {one.alert.id: one for one in alerting.alerts(journal, since_ms=None, everything=True)}
    return known[ids.found(ending, list(known), "an alert", "`poller alerts --all`")]


def chosen(journal: Path, endings: Sequence[str]) -> list[AlertStatus]:
    """The open alerts meant, each once. UsageError for one that has ended: nothing can be done about it any more."""
    found = {one.alert.id: one for one in (one_of_all(journal, ending) for ending in endings)}
    for one in found.values():
        if one.alert.closed_ms is not None:
            name = firing.name(one.alert.metric, one.alert.labels)
            what = f"alert {ids.short(one.alert.id)} ({one.alert.host} {name})"
            hint = "nothing is left to be done about it: `poller alerts` lists those that are open"
            raise UsageError(f"{what} ended {shown(one.alert.closed_ms)}", hint)
    return list(found.values())
